/* With its standard descriptors closed, or closed and one of the numbers taken by a file of its
 * own, a program ends well or by misuse. Its file must hold what it wrote and nothing else.
 *
 * closed (file | close | none) (exit | misuse) FILE */
#include "check.h"

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    if (strcmp(argv[1], "close") == 0)
        for (int fd = 0; fd < 3; fd++)
            close(fd);
    if (strcmp(argv[1], "none") != 0) {
        /* Until number 2 is among them. */
        int fd;
        do
            fd = open(argv[3], O_WRONLY);
        while (fd >= 0 && fd < 2);
        if (fd != 2)
            return 3;
        if (write(fd, "mine\n", 5) != 5)
            return 4;
    }
    char *p = malloc(100);
    if (p == NULL)
        return 5;
    fill(p, 100, 1);
    free(p);
    if (strcmp(argv[2], "misuse") == 0)
        free(p);
    return 0;
}
