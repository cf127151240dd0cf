# Functions, arrays, subshells, pipelines, strings and long loops.

fib() {
    local n=$1
    if ((n < 2)); then echo "$n"; else echo $(($(fib $((n - 1))) + $(fib $((n - 2))))); fi
}
fib 9

declare -a list
for ((i = 0; i < 20000; i++)); do list[i]="item $((i * 7919 % 20011))"; done
echo "${#list[@]} ${list[4711]} ${list[-1]}"
list=("${list[@]:100:5000}")
echo "${#list[@]} ${list[0]} ${list[@]: -2}"

declare -A count
for word in "${list[@]}"; do ((count[${word: -2}]++)); done
for key in "${!count[@]}"; do echo "$key ${count[$key]}"; done | sort | head -20

text=""
for ((i = 0; i < 3000; i++)); do text+="the quick brown fox $i "; done
echo "${#text} ${text:1000:30}"
text=${text//quick/slow}
text=${text^^}
echo "${#text} ${text: -40}"
[[ $text =~ FOX\ ([0-9]+)\ THE\ SLOW\ BROWN\ FOX\ 1234 ]] && echo "found ${BASH_REMATCH[1]}"

(
    trap 'echo "subshell $inner ends"' EXIT
    inner=1
    (inner=2; echo "deeper $inner")
    list=()
)
echo "still ${#list[@]}"

sum=0
while read -r number; do ((sum += number)); done < <(seq 1 30000 | grep -v 7)
echo "sum $sum"
printf '%s\n' {a..e}{1..200} | sort -r | awk 'NR % 100 == 0' | tr a-e A-E | tail -5

mapfile -t lines < <(seq 50000)
echo "${#lines[@]} ${lines[49999]}"
unset lines
here=$(cat <<END
$(printf '%s,' {1..2000})
END
)
echo "${#here}"

jobs=()
for ((i = 0; i < 60; i++)); do (exit $((i % 3))) & jobs+=($!); done
failed=0
for job in "${jobs[@]}"; do wait "$job" || ((failed++)); done
echo "failed $failed"
exit 0
