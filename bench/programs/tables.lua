-- A game's or a server's scripts: tables of tables, strings as keys, closures, garbage.

local scale = tonumber(arg[1])
local state = 1
local function number(limit)
    state = (state * 1103515245 + 12345) % 2147483648
    return state % limit
end

local total = 0
for round = 1, 3 do
    local objects, by_name = {}, {}
    for n = 1, math.max(1, math.floor(30000 * scale)) do
        local object = {
            name = "object" .. number(30000),
            position = { x = number(100), y = number(100) },
            parts = {},
            act = function(by) return n + by end,
        }
        for part = 1, number(5) do
            object.parts[part] = "part" .. part .. "of" .. n
        end
        objects[n] = object
        by_name[object.name] = object
    end
    table.sort(objects, function(a, b) return a.name < b.name end)
    local lines = {}
    for n, object in ipairs(objects) do
        lines[#lines + 1] = object.name .. ":" .. table.concat(object.parts, ",")
        total = total + object.act(n) % 7
    end
    for word in table.concat(lines, "\n"):gmatch("part%d") do
        total = total + #word
    end
end
print(total)
