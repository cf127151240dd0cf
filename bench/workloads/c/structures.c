/* Large linked structures, built and torn down: what containers and interpreters do all day. */
#include "loads.h"

struct node {
    uint64_t key;
    struct node *left, *right;
    char *name;
};

static struct node *node(uint64_t key)
{
    struct node *made = not_null(malloc(sizeof *made));
    *made = (struct node){.key = key};
    return made;
}

static struct node *full_tree(unsigned depth, uint64_t key)
{
    struct node *root = node(key);
    if (depth > 0) {
        root->left = full_tree(depth - 1, 2 * key);
        root->right = full_tree(depth - 1, 2 * key + 1);
    }
    return root;
}

/* The keys tell the way to a node, so a node in the wrong place shows. */
static uint64_t drop_full_tree(struct node *root, uint64_t key)
{
    uint64_t nodes = 1;
    if (root->key != key)
        fail("a node of the tree has changed");
    if (root->left != NULL)
        nodes += drop_full_tree(root->left, 2 * key) + drop_full_tree(root->right, 2 * key + 1);
    free(root);
    return nodes;
}

/* One large tree lives through the making and dropping of trees of all smaller sizes. */
static uint64_t tree_build(double scale, unsigned variant)
{
    (void)variant;
    enum { DEEPEST = 18 };
    uint64_t rounds = times(scale, 4), ops = 0;
    measure_begin();
    for (uint64_t round = 0; round < rounds; round++) {
        struct node *lasting = full_tree(DEEPEST, 1);
        for (unsigned depth = 4; depth < DEEPEST; depth += 2)
            for (unsigned i = 0; i < 1u << (DEEPEST - depth); i++)
                ops += drop_full_tree(full_tree(depth, 1), 1);
        ops += drop_full_tree(lasting, 1);
    }
    measure_end();
    return ops;
}

enum { KEYS = 100000 };

static void insert(struct node **at, struct node *added)
{
    while (*at != NULL)
        at = added->key < (*at)->key ? &(*at)->left : &(*at)->right;
    *at = added;
}

static void drop_named_tree(struct node *root)
{
    if (root == NULL)
        return;
    drop_named_tree(root->left);
    drop_named_tree(root->right);
    check(root->name, (uint32_t)root->key);
    free(root->name);
    free(root);
}

static uint64_t tree_random(double scale, unsigned variant)
{
    (void)variant;
    static struct sizes sizes;
    sizes_even(&sizes, 8, 48);
    struct random random = random_from(0);
    uint64_t rounds = times(scale, 8);
    measure_begin();
    for (uint64_t round = 0; round < rounds; round++) {
        struct node *root = NULL;
        for (uint32_t i = 0; i < KEYS; i++) {
            uint64_t drawn = draw(&random);
            struct node *added = node(drawn);
            added->name = take(size_of(&sizes, drawn), (uint32_t)drawn);
            insert(&root, added);
        }
        drop_named_tree(root);
    }
    measure_end();
    return rounds * KEYS * 2;
}

enum { ITEMS = 500000 };
enum list_order { IN_ORDER, REVERSED, SHUFFLED };

struct item {
    struct item *next, *previous;
    uint64_t number, payload;
};

static void build_list(struct item **handles)
{
    struct item *last = NULL;
    for (uint64_t i = 0; i < ITEMS; i++) {
        struct item *added = not_null(malloc(sizeof *added));
        *added = (struct item){.previous = last, .number = i};
        if (last != NULL)
            last->next = added;
        last = handles[i] = added;
    }
}

static void drop_item(struct item *item, uint64_t number)
{
    if (item->number != number)
        fail("an item of the list has changed");
    free(item);
}

static uint64_t list(double scale, unsigned variant)
{
    static const double base[] = {[IN_ORDER] = 40, [REVERSED] = 40, [SHUFFLED] = 8};
    struct item **handles = table(ITEMS * sizeof *handles);
    uint32_t *order = table(ITEMS * sizeof *order);
    for (uint32_t i = 0; i < ITEMS; i++)
        order[i] = i;
    shuffle(order, ITEMS, 1);
    uint64_t rounds = times(scale, base[variant]);
    measure_begin();
    for (uint64_t round = 0; round < rounds; round++) {
        struct item *next;
        uint64_t number = 0;
        build_list(handles);
        switch ((enum list_order)variant) {
        case IN_ORDER:
            for (struct item *item = handles[0]; item != NULL; item = next) {
                next = item->next;
                drop_item(item, number++);
            }
            break;
        case REVERSED:
            number = ITEMS;
            for (struct item *item = handles[ITEMS - 1]; item != NULL; item = next) {
                next = item->previous;
                drop_item(item, --number);
            }
            break;
        case SHUFFLED:
            for (uint32_t i = 0; i < ITEMS; i++)
                drop_item(handles[order[i]], order[i]);
            break;
        }
    }
    measure_end();
    return rounds * ITEMS;
}

static const struct workload rows[] = {
    {"tree-build", "full binary trees of all depths made and dropped beside a lasting one: binary-trees", tree_build, 0},
    {"tree-random", "search trees of 100 000 random keys with names: an ordered map of strings", tree_random, 0},
    {"list-in-order", "a list of 500 000 items, dropped from the first on: a queue that is emptied", list, IN_ORDER},
    {"list-reversed", "a list of 500 000 items, dropped from the last on: an undo history", list, REVERSED},
    {"list-shuffled", "a list of 500 000 items, dropped in random order: a graph collected by its counters", list, SHUFFLED},
};
GROUP(structures, rows);
