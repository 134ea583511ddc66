import { strangeValue } from './fault.ts';

/**
 * Seconds since the epoch, in the year 2255: no clock was ever set so far ahead that a window of the gateway ends later,
 * and until then microseconds are whole numbers that every part of the way holds exactly.
 */
const latestEnd = 9_000_000_000;

/**
 * Answers all claims of one call in one step, by the server's own clock.
 *
 * Reads first and writes only when every enforced claim fits, so that nothing is charged where a key turns out not to be
 * the gateway's. A server that may not write (full, a replica) fails at the first write, before anything has changed.
 *
 * Keys: one for each claim. Arguments: the holder, the lease of places in milliseconds, then six for each claim:
 *
 * - `r`, enforced, charge (-1: more than all), full burst, units wanted in advance, cost of a unit. Microseconds.
 *   Value: the theoretical arrival time. One that lies further ahead than a full burst comes of a clock that was set
 *   back, and counts as a full burst.
 * - `w`, enforced, amount, most, `hour`, `day` or `month`, -. Value: number of the window, colon, sum. A window that is
 *   later than the clock says stands.
 * - `p`, enforced, most, -, -, -. Value: holders, sorted by the millisecond at which their lease ends.
 *
 * Every key ends: some seconds after it is worth nothing, because the server's clock that ends it may be set forward.
 *
 * Answers with 1 or 0 (all charged, none charged) and five numbers for each claim: fits, microseconds to wait (-1:
 * nobody can say), whole units left, microseconds until all are there again, units given in advance.
 */
export function takeScript(clock: string = "redis.call('TIME')"): string {
  return `
local time = ${clock}
local now = time[1] * 1000000 + time[2]
local holder, lease = ARGV[1], tonumber(ARGV[2])
local out, plan, all = {1}, {}, true

local function number(text)
  if not string.match(text, '^%d%d?%d?%d?%d?%d?%d?%d?%d?%d?%d?%d?%d?%d?%d?%d?$') then return nil end
  return tonumber(text)
end

local function month_start(index)
  local y, m = math.floor(index / 12), index % 12 + 1
  if m <= 2 then y = y - 1 end
  local era = math.floor(y / 400)
  local yoe = y - era * 400
  local doy = math.floor((153 * ((m + 9) % 12) + 2) / 5)
  return (era * 146097 + yoe * 365 + math.floor(yoe / 4) - math.floor(yoe / 100) + doy - 719468) * 86400
end

local function window_at(period, seconds)
  if period == 'hour' then return math.floor(seconds / 3600) end
  if period == 'day' then return math.floor(seconds / 86400) end
  local z = math.floor(seconds / 86400) + 719468
  local era = math.floor(z / 146097)
  local doe = z - era * 146097
  local yoe = math.floor((doe - math.floor(doe / 1460) + math.floor(doe / 36524) - math.floor(doe / 146096)) / 365)
  local mp = math.floor((5 * (doe - (365 * yoe + math.floor(yoe / 4) - math.floor(yoe / 100))) + 2) / 153)
  local m = (mp + 2) % 12
  local y = yoe + era * 400
  if m <= 1 then y = y + 1 end
  return y * 12 + m
end

local function window_end(period, index)
  if period == 'hour' then return (index + 1) * 3600 end
  if period == 'day' then return (index + 1) * 86400 end
  return month_start(index + 1)
end

for i = 1, #KEYS do
  local at = 6 * i - 4
  local kind, enforced = ARGV[at + 1], ARGV[at + 2] == '1'
  local fits, wait, left, reset, given = true, -1, 0, 0, 0
  if kind == 'r' then
    local charge, full, want, cost = tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4]), tonumber(ARGV[at + 5]), tonumber(ARGV[at + 6])
    local tat = now
    local known = redis.call('GET', KEYS[i])
    if known then
      tat = number(known)
      if not tat then return redis.error_reply('${strangeValue} of a rate') end
      tat = math.max(now, math.min(tat, now + full))
    end
    if charge < 0 then
      fits = false
    elseif charge > 0 and tat + charge - full > now then
      fits, wait = false, tat + charge - full - now
    else
      tat = tat + charge
      given = math.max(0, math.min(want, math.floor((full - (tat - now)) / cost)))
      tat = tat + given * cost
      left, reset = math.floor((full - (tat - now)) / cost), tat - now
      if charge + given > 0 then
        plan[#plan + 1] = {'SET', KEYS[i], string.format('%.0f', tat), 'PX', string.format('%.0f', math.ceil((tat - now) / 1000) + 10000)}
      end
    end
  elseif kind == 'w' then
    local amount, most, period = tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4]), ARGV[at + 5]
    local index, sum = window_at(period, math.floor(now / 1000000)), 0
    local known = redis.call('GET', KEYS[i])
    if known then
      local was, had = string.match(known, '^(%d+):(%d+)$')
      was, had = was and number(was), had and number(had)
      if not was or not had then return redis.error_reply('${strangeValue} of a window') end
      if was >= index then
        if window_end(period, was) > ${latestEnd} then return redis.error_reply('${strangeValue} of a window') end
        index, sum = was, had
      end
    end
    reset = window_end(period, index) * 1000000 - now
    if amount > 0 and sum + amount > most then
      fits = false
      if amount <= most then wait = reset end
    else
      sum = sum + amount
      left = math.max(0, math.floor((most - sum) / 1000))
      if amount > 0 then
        plan[#plan + 1] = {'SET', KEYS[i], string.format('%.0f:%.0f', index, sum), 'PX', string.format('%.0f', math.ceil(reset / 1000) + 86400000)}
      end
    end
  else
    local millis = math.floor(now / 1000)
    local bound = string.format('%.0f', millis)
    local taken = redis.call('ZCOUNT', KEYS[i], '(' .. bound, '+inf')
    if taken >= tonumber(ARGV[at + 3]) and not redis.call('ZSCORE', KEYS[i], holder) then
      fits = false
    else
      plan[#plan + 1] = {'ZREMRANGEBYSCORE', KEYS[i], '-inf', bound}
      plan[#plan + 1] = {'ZADD', KEYS[i], string.format('%.0f', millis + lease), holder}
      plan[#plan + 1] = {'PEXPIRE', KEYS[i], string.format('%.0f', lease + 1000)}
    end
  end
  if enforced and not fits then all = false end
  local o = #out
  out[o + 1], out[o + 2], out[o + 3], out[o + 4], out[o + 5] = fits and 1 or 0, wait, left, reset, given
end

if not all then
  out[1] = 0
  return out
end
for i = 1, #plan do redis.call(unpack(plan[i])) end
return out
`;
}

/**
 * Says that holders still hold their places. Keys: one for each place; arguments: the lease in milliseconds, then the
 * holder of each. A place that the server has forgotten is taken again: the call is still running. A key that is not the
 * gateway's is left out.
 */
export const renewScript: string = `
local time = redis.call('TIME')
local millis = time[1] * 1000 + math.floor(time[2] / 1000)
local lease = tonumber(ARGV[1])
for i = 1, #KEYS do
  redis.pcall('ZADD', KEYS[i], string.format('%.0f', millis + lease), ARGV[i + 1])
  redis.pcall('PEXPIRE', KEYS[i], string.format('%.0f', lease + 1000))
end
return 1
`;
