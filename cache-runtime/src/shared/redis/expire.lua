-- Ends a mark whose time is over: its holder is gone, and may have committed.
-- ARGV: token, the tags that it was known to be on, 8 bytes each.
-- Returns: id, version, floor; or the deadline alone where it has been extended.
local mark = redis.call('HGET', KEYS[5], ARGV[4])
if mark and not anew then
  local deadline = tonumber(string.sub(mark, 1, 16))
  if deadline > now() then
    return {text(deadline)}
  end
end
settle()
redis.call('HDEL', KEYS[5], ARGV[4])
record(ARGV[5], 'u', ARGV[4])
return {id, text(head), text(floor)}
