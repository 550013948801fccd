-- Finds the log, or begins one where there is none or the server is not the one that kept it.
-- Returns: id, head, floor, and the marks that stand: token and contents in turn.
if anew then
  settle()
  save()
elseif promoted then
  settle()
else
  -- A write that changes nothing: on a replica the log would be another's to follow.
  redis.call('HDEL', KEYS[1], 'beat')
end
return {id, text(head), text(floor), redis.call('HGETALL', KEYS[5])}
