-- Appends one record. Everything is read and checked before the first write.
-- KEYS: meta, tags 0, tags 1, records.
-- ARGV: an id for a new log; the tags, 8 bytes each; and for a claim: the log it was made in, the
-- head it was made at, its tags. A claim is refused where one of its tags has moved past it.
-- Returns: id, version, floor; or nothing where a claim was refused.
local server = string.match(redis.call('INFO', 'replication'), 'master_replid:(%w+)') or ''
local meta = redis.call('HMGET', KEYS[1], 'id', 'head', 'floor', 'server')
local id, head, floor = meta[1], tonumber(meta[2]), tonumber(meta[3])
local anew = not id or not head or not floor or meta[4] ~= server
-- A hash without its sentinel was evicted: what it knew is lost, and nothing older may be believed.
local lost = not anew and redis.call('HGET', KEYS[2], '') ~= id

if ARGV[3] then
  local at = tonumber(ARGV[4])
  if anew or lost or ARGV[3] ~= id or at < floor then
    return false
  end
  for i = 1, #ARGV[5], 8 do
    local tag = string.sub(ARGV[5], i, i + 7)
    for k = 2, 3 do
      local version = redis.call('HGET', KEYS[k], tag)
      if version and tonumber(version) > at then
        return false
      end
    end
  end
end

if anew then
  redis.call('DEL', KEYS[1], KEYS[2], KEYS[3], KEYS[4])
  id, head, floor = ARGV[1], 0, 0
elseif lost then
  floor = head
  redis.call('DEL', KEYS[2])
end
local version = string.format('%.0f', head + 1)
local mark = string.format('%.0f', floor)
redis.call('HSET', KEYS[1], 'id', id, 'head', version, 'floor', mark, 'server', server)
if anew or lost then
  redis.call('HSET', KEYS[2], '', id)
end
for i = 1, #ARGV[2], 8 do
  redis.call('HSET', KEYS[2], string.sub(ARGV[2], i, i + 7), version)
end
redis.call('XADD', KEYS[4], 'MAXLEN', '~', '10000', version .. '-0', 'i', id, 't', ARGV[2])
return {id, version, mark}
