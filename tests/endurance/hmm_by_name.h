/* HMM's own functions, looked up by name: so one program serves by preload, where nothing is linked
 * with it, and linked. */
#ifndef HMM_BY_NAME_H
#define HMM_BY_NAME_H

#include <dlfcn.h>
#include "check.h"
#include "hmm.h"

static inline void *hmm_function(const char *name)
{
    void *function = dlsym(RTLD_DEFAULT, name);
    CHECK(function != NULL);
    return function;
}

static inline struct HmmStatistics hmm_stats(void)
{
    struct HmmStatistics now;
    ((void (*)(struct HmmStatistics *))hmm_function("HmmStats"))(&now);
    return now;
}

static inline void hmm_is_sound(void)
{
    CHECK(((int (*)(void))hmm_function("HmmCheck"))() == 0);
}

static inline void hmm_trim(void)
{
    ((int (*)(void))hmm_function("HmmTrim"))();
}

#endif
