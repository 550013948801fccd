-- Places a mark on tags, or extends it: until it ends, nothing that carries one of them is current.
-- ARGV: token, how long it stands in ms, the tags, 8 bytes each, and the log that it was placed in
-- before, or ''. In that log it is not placed again: if it is gone, it has ended.
-- Returns: id, head, floor, the deadline in ms of the server's time, and 1 where a record was added.
local known = not anew and not promoted and ARGV[7] == id
settle()
local deadline = now() + tonumber(ARGV[5])
local stood = redis.call('HEXISTS', KEYS[5], ARGV[4])
if stood == 1 or not known then
  redis.call('HSET', KEYS[5], ARGV[4], string.format('%016.0f', deadline) .. ARGV[6])
end
if stood == 0 and not known then
  record('', 'm', ARGV[4], 'd', text(deadline), 'p', ARGV[6])
  return {id, text(head), text(floor), text(deadline), 1}
end
return {id, text(head), text(floor), text(deadline), 0}
