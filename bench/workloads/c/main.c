/* The benchmark's C workloads, for whatever malloc the process has.
 *
 *   loads-c list          name, tab, and what the workload stands for, a line for each
 *   loads-c NAME SCALE [SECONDS]    runs one and prints `ops=<operations> ns=<duration of the measured part>`;
 *       of a workload that tells, also `settled=<bytes of memory>` after so many seconds of sleep */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "loads.h"

extern const struct group pairs, live_sets, batches, structures, profiles, resizing, zeroed, servers, queues, bursts,
    churn, neighbours, aligned, large, phases, cache, scaling, memory;

static const struct group *const groups[] = {
    &pairs, &live_sets, &batches, &structures, &profiles, &resizing, &zeroed, &servers, &queues, &bursts,
    &churn, &neighbours, &aligned, &large, &phases, &cache, &scaling, &memory,
};

static const struct workload *named(const char *name)
{
    for (size_t g = 0; g < COUNT(groups); g++)
        for (size_t r = 0; r < groups[g]->rows; r++)
            if (strcmp(groups[g]->row[r].name, name) == 0)
                return &groups[g]->row[r];
    return NULL;
}

static int list(void)
{
    for (size_t g = 0; g < COUNT(groups); g++)
        for (size_t r = 0; r < groups[g]->rows; r++)
            printf("%s\t%s\n", groups[g]->row[r].name, groups[g]->row[r].about);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "list") == 0)
        return list();
    double scale = argc >= 3 ? atof(argv[2]) : 0;
    double seconds = argc == 4 ? atof(argv[3]) : 0;
    if (!(scale > 0 && scale < 1e6)) {
        fprintf(stderr, "usage: loads-c list | loads-c NAME SCALE [SECONDS]\n");
        return 2;
    }
    const struct workload *load = named(argv[1]);
    if (load == NULL) {
        fprintf(stderr, "loads-c: no workload is named %s\n", argv[1]);
        return 2;
    }
    uint64_t operations = load->run(scale, load->variant);
    printf("ops=%" PRIu64 " ns=%" PRIu64, operations, measured());
    if (load->settles && seconds > 0) {
        struct timespec sleep = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
        nanosleep(&sleep, NULL);
        printf(" settled=%" PRIu64, resident());
    }
    printf("\n");
    fflush(stdout);
    /* Not exit: other threads may sleep in the middle of something. */
    _exit(0);
}
