-- What the log knows of some tags, in one moment. Writes nothing.
-- KEYS: meta, tags 0, tags 1, records, marks. ARGV: the tags, 8 bytes each.
-- Returns: id, head, floor, and a version for each tag: '0' where it was never invalidated, the
-- highest there can be where a mark is on it.
local meta = redis.call('HMGET', KEYS[1], 'id', 'head', 'floor')
if not meta[1] or not meta[2] or not meta[3] then
  return false
end
-- Without its sentinel a hash has been evicted: nothing older than now may be believed.
for _, hash in ipairs({2, 3, 5}) do
  if redis.call('HGET', KEYS[hash], '') ~= meta[1] then
    meta[3] = meta[2]
  end
end
local marked = {}
if redis.call('HLEN', KEYS[5]) > 1 then
  for _, mark in ipairs(redis.call('HVALS', KEYS[5])) do
    -- The sentinel is 16 bytes long and holds no tags.
    for i = 17, #mark, 8 do
      marked[string.sub(mark, i, i + 7)] = true
    end
  end
end
for i = 1, #ARGV[1], 8 do
  local tag = string.sub(ARGV[1], i, i + 7)
  local newest = '0'
  for hash = 2, 3 do
    local version = redis.call('HGET', KEYS[hash], tag)
    if version and tonumber(version) > tonumber(newest) then
      newest = version
    end
  end
  meta[#meta + 1] = marked[tag] and '18446744073709551615' or newest
end
return meta
