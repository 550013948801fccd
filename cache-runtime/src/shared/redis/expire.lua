-- Ends a mark whose time is over: its holder is gone, and may have committed.
-- ARGV: token, the tags that it was known to be on, 8 bytes each, and the log that it was seen to
-- stand in.
-- Returns: id, head, floor, where it has ended, here or before, and 1 where a record was added; or
-- the deadline alone where that has been extended.
local mark = not anew and redis.call('HGET', KEYS[5], ARGV[4])
if mark then
  local deadline = tonumber(string.sub(mark, 1, 16))
  if deadline > now() then
    return {text(deadline)}
  end
elseif not anew and not promoted and ARGV[6] == id then
  -- Another process has ended it.
  return {id, text(head), text(floor), 0}
end
settle()
unmark(ARGV[4])
record(ARGV[5], 'u', ARGV[4])
return {id, text(head), text(floor), 1}
