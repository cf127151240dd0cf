set print inferior-events off
set print thread-events off
set print frame-arguments none
set print address off
set debuginfod enabled off
set confirm off
break place_queen if column == 3 && b->rows == 4
run 6
backtrace
print b->rows
print column
print b->column[0]@4
finish
next
ptype struct board
watch all->rows
info breakpoints
delete
pipe continue | sed 's/process [0-9]*/process/'
