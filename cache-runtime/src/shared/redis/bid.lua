-- Bids for the lease of a key, and looks once more at its entry.
-- KEYS: entry, lease. ARGV: token, log id, head, ttl in ms, the token of a holder that was waited
-- for, the token of a holder to be superseded (each '' for none).
-- Returns: 0 and the entry (granted); 1, token, log id, head, ms left (held); 2 and the message
-- (the holder that was waited for has failed).
local lease = redis.call('GET', KEYS[2])
if lease then
  local holder = string.sub(lease, 2, 17)
  if string.sub(lease, 1, 1) == 'F' then
    if holder == ARGV[5] then
      return {2, string.sub(lease, 18)}
    end
  elseif holder ~= ARGV[6] and holder ~= ARGV[1] then
    return {1, holder, string.sub(lease, 18, 33), string.sub(lease, 34), redis.call('PTTL', KEYS[2])}
  end
end
redis.call('SET', KEYS[2], 'L' .. ARGV[1] .. ARGV[2] .. ARGV[3], 'PX', ARGV[4])
return {0, redis.call('GET', KEYS[1])}
