/* A bounded queue between threads. */
#include "fifo.h"

#include "loads.h"

void fifo_init(struct fifo *fifo, unsigned room)
{
    pthread_mutex_init(&fifo->lock, NULL);
    pthread_cond_init(&fifo->not_empty, NULL);
    pthread_cond_init(&fifo->not_full, NULL);
    fifo->first = fifo->filled = 0;
    fifo->room = room;
}

void fifo_put(struct fifo *fifo, void *item)
{
    pthread_mutex_lock(&fifo->lock);
    while (fifo->filled == fifo->room)
        pthread_cond_wait(&fifo->not_full, &fifo->lock);
    fifo->ring[(fifo->first + fifo->filled++) % FIFO_ROOM] = item;
    pthread_mutex_unlock(&fifo->lock);
    pthread_cond_signal(&fifo->not_empty);
}

void *fifo_get(struct fifo *fifo)
{
    pthread_mutex_lock(&fifo->lock);
    while (fifo->filled == 0)
        pthread_cond_wait(&fifo->not_empty, &fifo->lock);
    void *item = fifo->ring[fifo->first];
    fifo->first = (fifo->first + 1) % FIFO_ROOM;
    fifo->filled--;
    pthread_mutex_unlock(&fifo->lock);
    pthread_cond_signal(&fifo->not_full);
    return item;
}
