-- What the scripts that change the log have in common; it stands before each of them.
-- KEYS: meta, tags 0, tags 1, records, marks.
-- ARGV: an id for a new log, the longest ttl of the caller in ms, '1' to keep the log when the
-- server changes; then the script's own.
local server = string.match(redis.call('INFO', 'replication'), 'master_replid:(%w+)')
if not server then
  if ARGV[3] ~= '1' then
    return redis.error_reply('NOREPLID INFO names no master_replid: a failover would not be seen')
  end
  server = ''
end
local meta = redis.call('HMGET', KEYS[1], 'id', 'head', 'floor', 'current', 'turned', 'due', 'server')
local id, head, floor = meta[1], tonumber(meta[2]), tonumber(meta[3])
-- Which of the two hashes is written to, and the head at which the other one stopped being.
local current, turned, due = tonumber(meta[4]), tonumber(meta[5]), tonumber(meta[6])
local whole = id and head and floor and current and turned and due
-- Another server, which is believed all the same. It may lack the last records of the one before,
-- and would give their versions to others.
local promoted = whole and meta[7] ~= server and ARGV[3] == '1'

local function text(number)
  return string.format('%.0f', number)
end

local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- A hash without its sentinel was evicted: what it knew is lost, and nothing older may be believed.
local function is_lost(hash)
  return redis.call('HGET', KEYS[hash], '') ~= id
end

-- Without the marks another log begins, which their holders hear of, and place them in again. By
-- this log alone they could not tell a mark that was lost from one that has ended.
local anew = not whole or (meta[7] ~= server and not promoted) or is_lost(5)

local function save()
  redis.call('HSET', KEYS[1], 'id', id, 'head', text(head), 'floor', text(floor), 'server', server,
    'current', current, 'turned', text(turned), 'due', text(due))
end

-- Adds one record that moves these tags, 8 bytes each. More fields follow.
local function record(tags, ...)
  head = head + 1
  save()
  local version = text(head)
  local fields = {}
  for at = 1, #tags, 8 do
    fields[#fields + 1] = string.sub(tags, at, at + 7)
    fields[#fields + 1] = version
    if #fields == 1000 then
      redis.call('HSET', KEYS[2 + current], unpack(fields))
      fields = {}
    end
  end
  if #fields > 0 then
    redis.call('HSET', KEYS[2 + current], unpack(fields))
  end
  redis.call('XADD', KEYS[4], 'MAXLEN', '~', '10000', version .. '-0', 'i', id, 't', tags, ...)
end

-- Removes marks, 16 bytes each.
local function unmark(tokens)
  for at = 1, #tokens, 16 do
    redis.call('HDEL', KEYS[5], string.sub(tokens, at, at + 15))
  end
end

-- The tags that are under a mark; nothing where no mark stands.
local function marked()
  if redis.call('HLEN', KEYS[5]) < 2 then
    return nil
  end
  local tags = {}
  for _, mark in ipairs(redis.call('HVALS', KEYS[5])) do
    -- The sentinel is 16 bytes long and holds no tags.
    for at = 17, #mark, 8 do
      tags[string.sub(mark, at, at + 7)] = true
    end
  end
  return tags
end

-- Sees to it that there is a log that this server has kept. The first write, if any.
local function settle()
  if anew then
    redis.call('UNLINK', KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5])
    id, head, floor, current, turned = ARGV[1], 0, 0, 0, 0
    due = now() + tonumber(ARGV[2])
    redis.call('HSET', KEYS[5], '', id)
  elseif is_lost(2) or is_lost(3) then
    floor = head
  end
  for hash = 2, 3 do
    if is_lost(hash) then
      redis.call('UNLINK', KEYS[hash])
      redis.call('HSET', KEYS[hash], '', id)
    end
  end
  if promoted and not anew then
    -- Past every version that the server before can have given: whoever has seen one of those finds
    -- a gap, and nobody meets it again.
    head = head + 4294967296
    record('')
  end
end
