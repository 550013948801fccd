-- Changes a key that this connection is tracking, to see whether it is told.
-- KEYS: probe.
return redis.call('SET', KEYS[1], '1', 'PX', 1000)
