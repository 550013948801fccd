-- Finds the log, or begins one where there is none or the server is not the one that kept it.
-- KEYS: meta, tags 0, tags 1, records. ARGV: an id for a new log.
-- Returns: id, head, floor.
local server = string.match(redis.call('INFO', 'replication'), 'master_replid:(%w+)') or ''
local meta = redis.call('HMGET', KEYS[1], 'id', 'head', 'floor', 'server')
if meta[1] and meta[2] and meta[3] and meta[4] == server then
  -- A write that changes nothing: on a replica the log would be another's to follow.
  redis.call('HDEL', KEYS[1], 'beat')
  return {meta[1], meta[2], meta[3]}
end
redis.call('DEL', KEYS[1], KEYS[2], KEYS[3], KEYS[4])
redis.call('HSET', KEYS[1], 'id', ARGV[1], 'head', '0', 'floor', '0', 'server', server)
redis.call('HSET', KEYS[2], '', ARGV[1])
return {ARGV[1], '0', '0'}
