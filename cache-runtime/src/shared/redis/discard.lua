-- Removes an entry that could not be read, if it has not been replaced meanwhile.
-- KEYS: entry. ARGV: its length, and the bytes it begins with.
if redis.call('STRLEN', KEYS[1]) == tonumber(ARGV[1])
  and redis.call('GETRANGE', KEYS[1], 0, #ARGV[2] - 1) == ARGV[2] then
  return redis.call('DEL', KEYS[1])
end
return 0
