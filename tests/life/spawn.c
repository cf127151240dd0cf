/* vfork, posix_spawn, system and popen: children that allocate before they become another
 * program, in the parent's own memory. */
#include <spawn.h>
#include <sys/wait.h>
#include "check.h"

extern char **environ;

int main(void)
{
    char *kept = malloc(1000);
    fill(kept, 1000, 1);
    for (int i = 0; i < 100; i++) {
        pid_t pid = vfork();
        if (pid == 0) {
            char *mine = malloc((size_t)i * 1000 + 1);
            if (mine == NULL || !holds(kept, 1000, 1))
                _exit(1);
            fill(mine, (size_t)i * 1000 + 1, 2);
            free(mine);
            if (i % 10 == 0)
                execl("/bin/true", "true", (char *)NULL);
            _exit(0);
        }
        int status;
        CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
    }
    for (int i = 0; i < 20; i++) {
        pid_t pid;
        int status;
        char *words[] = {"sh", "-c", "exit 3", NULL};
        CHECK(posix_spawnp(&pid, "sh", NULL, NULL, words, environ) == 0);
        CHECK(waitpid(pid, &status, 0) == pid);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 3);
        words[2] = "true";
        CHECK(posix_spawn(&pid, "/nowhere", NULL, NULL, words, environ) == ENOENT);
    }
    for (int i = 0; i < 10; i++) {
        CHECK(system("exit 0") == 0);
        FILE *out = popen("echo from the child", "r");
        char *line = NULL;
        size_t size = 0;
        CHECK(out != NULL && getline(&line, &size, out) > 0);
        CHECK(strcmp(line, "from the child\n") == 0);
        free(line);
        CHECK(pclose(out) == 0);
    }
    CHECK(holds(kept, 1000, 1));
    free(kept);
    return ok();
}
