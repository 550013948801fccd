-- What the log knows of some tags, in one moment. Writes nothing.
-- KEYS: meta, tags 0, tags 1. ARGV: the tags, 8 bytes each.
-- Returns: id, head, floor, and a version for each tag ('0' where it was never invalidated).
local meta = redis.call('HMGET', KEYS[1], 'id', 'head', 'floor')
if not meta[1] or not meta[2] or not meta[3] then
  return false
end
-- Without its sentinel the hash has been evicted: nothing older than now may be believed.
if redis.call('HGET', KEYS[2], '') ~= meta[1] then
  meta[3] = meta[2]
end
for i = 1, #ARGV[1], 8 do
  local tag = string.sub(ARGV[1], i, i + 7)
  local newest = '0'
  for k = 2, 3 do
    local version = redis.call('HGET', KEYS[k], tag)
    if version and tonumber(version) > tonumber(newest) then
      newest = version
    end
  end
  meta[#meta + 1] = newest
end
return meta
