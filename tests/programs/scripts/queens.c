/* The queens' problem, by lists on the heap. */
#include <stdio.h>
#include <stdlib.h>

struct board {
    struct board *next;
    int rows;
    int column[];
};

static int attacked(const struct board *b, int column)
{
    for (int row = 0; row < b->rows; row++) {
        int apart = b->column[row] - column;
        int down = b->rows - row;
        if (apart == 0 || apart == down || apart == -down)
            return 1;
    }
    return 0;
}

static struct board *place_queen(const struct board *b, int column, struct board *next)
{
    struct board *more = malloc(sizeof *more + (size_t)(b->rows + 1) * sizeof(int));
    if (!more)
        abort();
    more->next = next;
    more->rows = b->rows + 1;
    for (int row = 0; row < b->rows; row++)
        more->column[row] = b->column[row];
    more->column[b->rows] = column;
    return more;
}

int main(int argc, char **argv)
{
    int size = argc > 1 ? atoi(argv[1]) : 6;
    struct board *all = calloc(1, sizeof *all);
    for (int row = 0; row < size; row++) {
        struct board *grown = NULL;
        int count = 0;
        while (all) {
            struct board *b = all;
            for (int column = 0; column < size; column++)
                if (!attacked(b, column)) {
                    grown = place_queen(b, column, grown);
                    count++;
                }
            all = b->next;
            free(b);
        }
        all = grown;
        printf("%d rows: %d\n", row + 1, count);
    }
    return 0;
}
