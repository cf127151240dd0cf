# Sums and joins by key, strings that grow, and substitution.
{
    sum[$2] += $1
    list[$2] = list[$2] "," $1
    gsub(/[13579]/, "odd")
    length_of += length($0)
    seen[substr($0, 1, 6)]++
}
END {
    for (key in sum)
        lines[++n] = key " " sum[key] " " length(list[key]) " " split(list[key], parts, ",")
    for (i = 1; i <= n; i++)
        for (j = i; j > 1 && lines[j - 1] > lines[j]; j--) {
            swap = lines[j]
            lines[j] = lines[j - 1]
            lines[j - 1] = swap
        }
    for (i = 1; i <= n; i++)
        print lines[i]
    for (key in seen)
        different++
    print length_of, different
}
