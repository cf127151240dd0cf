/* A bounded queue between threads: a mutex, two conditions, and a ring of pointers. */
#ifndef FIFO_H
#define FIFO_H

#include <pthread.h>

enum { FIFO_ROOM = 64 };

struct fifo {
    pthread_mutex_t lock;
    pthread_cond_t not_empty, not_full;
    unsigned first, filled, room;
    void *ring[FIFO_ROOM];
};

/* `room` is at most FIFO_ROOM. */
void fifo_init(struct fifo *fifo, unsigned room);
/* Waits while the queue is full. */
void fifo_put(struct fifo *fifo, void *item);
/* Waits while the queue is empty. */
void *fifo_get(struct fifo *fifo);

#endif
