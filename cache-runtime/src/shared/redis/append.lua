-- Appends one record. Everything is read and checked before the first write.
-- ARGV: the tags, 8 bytes each; the marks that this record ends, 16 bytes each; and for a claim: the
-- log it was made in, the head it was made at, its tags. A claim is refused where one of its tags
-- has moved past it or is under a mark.
-- Returns: id, version, floor; or nothing where a claim was refused.
if ARGV[6] then
  local at = tonumber(ARGV[7])
  if anew or promoted or is_lost(2) or is_lost(3) or ARGV[6] ~= id or at < floor then
    return false
  end
  local held = marked()
  for i = 1, #ARGV[8], 8 do
    local tag = string.sub(ARGV[8], i, i + 7)
    if held and held[tag] then
      return false
    end
    for hash = 2, 3 do
      local version = redis.call('HGET', KEYS[hash], tag)
      if version and tonumber(version) > at then
        return false
      end
    end
  end
end

settle()
if ARGV[5] ~= '' then
  unmark(ARGV[5])
  record(ARGV[4], 'u', ARGV[5])
else
  record(ARGV[4])
end
return {id, text(head), text(floor)}
