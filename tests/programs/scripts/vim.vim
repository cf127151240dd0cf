" A file is edited with regular expressions, registers, macros and a function, and written.
%s/\v^(\d+) (word\d+)$/\2: \1/
g/word13:/m0
v/word[1-5]/d
let @q = "0ihello \<Esc>A world\<Esc>j"
normal gg
normal 500@q
sort n
%s/hello/\=submatch(0) . '-' . line('.')/
function! Count()
  let words = {}
  for line in getline(1, '$')
    let word = matchstr(line, 'word\d\+')
    let words[word] = get(words, word, 0) + 1
  endfor
  return map(sort(keys(words)), 'v:val . "=" . words[v:val]')
endfunction
call writefile(Count(), 'counted')
write
enew
call setline(1, map(range(1, 20000), 'repeat(v:val . " ", 5)'))
let &undolevels = &undolevels
%s/ $//
%s/7/seven/g
undo
1,100join
write! long
qall!
