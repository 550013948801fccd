-- Drops the older hash of tags when its time has come, and goes on in a fresh one. What was stored
-- while the dropped one was written to has expired; what has not is below the floor from here on.
-- Returns: id, version, floor; or nothing where another process was first.
-- ARGV: the time, in ms of the server's clock, that the caller believes it is due at.
if anew or promoted or ARGV[4] ~= text(due) or now() < due then
  return false
end
settle()
floor = math.max(floor, turned)
redis.call('XTRIM', KEYS[4], 'MINID', text(turned) .. '-0')
current = 1 - current
redis.call('UNLINK', KEYS[2 + current])
redis.call('HSET', KEYS[2 + current], '', id)
turned = head
due = now() + tonumber(ARGV[2])
record('')
return {id, text(head), text(floor)}
