-- HAProxy asks Brama whether a request may pass, and as whom. For HAProxy 2.6 and later.
--
-- `brama print-config haproxy --lua` prints this file, `brama print-config haproxy` the
-- configuration that calls it:
--
--     http-request lua.brama WHERE PATH NAMES
--
-- WHERE is http://HOST:PORT, unix@/PATH or abns@NAME, PATH the path under which is asked, and NAMES
-- the headers that an answer may set, with commas between. Behind the call, txn.brama_allowed is
-- true or false, txn.brama_silent is true when no answer came, and the first is true only
--
-- 1. when the answer was 200, and nothing else: a 204, a redirect, an error, silence are a no;
-- 2. when it had exactly one signed identity that is not empty;
-- 3. when all that it tells stands in the request, read back after it was written: what does not
--    fit into the buffer is a no.
--
-- Whatever else goes wrong here ends the action, and the variable keeps the no it began with.

local IDENTITY = "x-brama-assertion"

-- Milliseconds until silence is a no. HAProxy asks up to three times more before it is: five seconds in
-- all.
local PATIENCE = 1250

-- What belongs to one connection, or to a body that is not sent on with the question.
local KEPT = {
    ["connection"] = true,
    ["content-length"] = true,
    ["expect"] = true,
    ["host"] = true,
    ["http2-settings"] = true,
    ["keep-alive"] = true,
    ["proxy-connection"] = true,
    ["te"] = true,
    ["trailer"] = true,
    ["transfer-encoding"] = true,
    ["upgrade"] = true,
}

-- Returns the values of a header as a list from 1. HAProxy counts from 0.
local function values_of(headers, name)
    local list, values = {}, headers[name]
    local at = 0
    while values ~= nil and values[at] ~= nil do
        list[#list + 1] = values[at]
        at = at + 1
    end
    return list
end

-- Returns what is told to Brama: the request, and its headers line by line.
local function question(txn)
    local given = txn.http:req_get_headers()
    local headers = {}
    for name in pairs(given) do
        if not KEPT[name] then
            headers[name] = values_of(given, name)
        end
    end
    headers["x-original-method"] = { txn.f:method() }
    headers["x-original-uri"] = { txn.f:pathq() }
    headers["x-original-host"] = { txn.f:req_fhdr("host") }
    return headers
end

local function ask(where, path, headers)
    local request = { headers = headers, timeout = PATIENCE }
    if where:sub(1, 7) == "http://" then
        request.url = where .. path
    else
        request.url = "http://brama" .. path
        request.dst = where
    end
    return core.httpclient():get(request)
end

-- Takes what a client says under these names out of the request.
local function clear(txn, names)
    for _, name in ipairs(names) do
        txn.http:req_del_header(name)
    end
end

-- Writes what the answer tells, and says whether all of it stands there.
local function tell(txn, names, answer)
    for _, name in ipairs(names) do
        for _, value in ipairs(values_of(answer.headers, name)) do
            txn.http:req_add_header(name, value)
        end
    end
    local now = txn.http:req_get_headers()
    for _, name in ipairs(names) do
        local told, written = values_of(answer.headers, name), values_of(now, name)
        if #told ~= #written then
            return false
        end
        for at, value in ipairs(told) do
            if written[at] ~= value then
                return false
            end
        end
    end
    return true
end

-- Tells whether the gateway said nothing. HAProxy itself makes an error of that, which may be kept
-- for as long as anybody likes; no error of the gateway may be kept.
local function is_silence(answer)
    if answer == nil or answer.headers == nil then
        return true
    end
    return answer.status >= 500 and values_of(answer.headers, "cache-control")[1] ~= "no-store"
end

local function brama(txn, where, path, listed)
    txn:set_var("txn.brama_allowed", false)
    local names = {}
    for name in listed:gmatch("[^,]+") do
        names[#names + 1] = name:lower()
    end
    local answer = ask(where, path, question(txn))
    if is_silence(answer) then
        txn:set_var("txn.brama_silent", true)
        return
    end
    if answer.status ~= 200 then
        return
    end
    local identities = values_of(answer.headers, IDENTITY)
    if #identities ~= 1 or identities[1] == "" then
        return
    end
    -- Not before: after a no the gateway needs what the client sent, its cookies above all.
    clear(txn, names)
    if tell(txn, names, answer) then
        txn:set_var("txn.brama_allowed", true)
    else
        clear(txn, names)
    end
end

core.register_action("brama", { "http-req" }, brama, 3)
