-- Stores an entry, unless one of the same log with a higher version is there. With a token it is
-- stored only while that holds the lease, which is freed.
-- KEYS: entry, lease. ARGV: token or '', log id, version (8 bytes, big-endian), entry, ttl in ms.
-- Returns: 1 stored, 0 lease lost, 2 superseded.
if ARGV[1] ~= '' then
  local lease = redis.call('GET', KEYS[2])
  if not lease or string.sub(lease, 1, 17) ~= 'L' .. ARGV[1] then
    return 0
  end
end
-- Byte by byte: comparing strings follows the server's locale.
local function above(a, b)
  for i = 1, 8 do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then
      return x > y
    end
  end
  return false
end
local there = redis.call('GETRANGE', KEYS[1], 0, 31)
local newer = #there == 32 and string.sub(there, 1, 3) == 'AFR'
  and string.sub(there, 9, 24) == ARGV[2] and above(string.sub(there, 25, 32), ARGV[3])
if not newer then
  redis.call('SET', KEYS[1], ARGV[4], 'PX', ARGV[5])
end
if ARGV[1] ~= '' then
  redis.call('DEL', KEYS[2])
end
return newer and 2 or 1
