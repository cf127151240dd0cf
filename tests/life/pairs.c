/* Functions of the C library that return memory for the caller to free, or take what the caller
 * allocated: all of it is of one heap. */
#include <dirent.h>
#include <glob.h>
#include <iconv.h>
#include <langinfo.h>
#include <locale.h>
#include <netdb.h>
#include <pwd.h>
#include <regex.h>
#include <search.h>
#include <wchar.h>
#include "check.h"

static int any(const struct dirent *unused)
{
    (void)unused;
    return 1;
}

static void lines(void)
{
    FILE *file = tmpfile();
    CHECK(file != NULL);
    for (int i = 0; i < 2000; i++)
        fprintf(file, "%0*d;", i + 1, i);
    rewind(file);
    /* One buffer comes from us, one from it. */
    size_t size = 4;
    char *line = malloc(size), *other = NULL;
    size_t other_size = 0;
    for (int i = 0; i < 2000; i += 2) {
        CHECK(getdelim(&line, &size, ';', file) == i + 2 && size > (size_t)i + 2);
        CHECK(getdelim(&other, &other_size, ';', file) == i + 3);
    }
    free(line);
    free(other);
    fclose(file);
}

static void memory_streams(void)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    CHECK(out != NULL);
    for (int i = 0; i < 10000; i++)
        fprintf(out, "%d ", i);
    fclose(out);
    CHECK(size == 48890 && strlen(text) == size);
    free(text);
    wchar_t *wide;
    out = open_wmemstream(&wide, &size);
    CHECK(out != NULL && fwprintf(out, L"%d", 12345) == 5);
    fclose(out);
    CHECK(size == 5 && wcslen(wide) == 5);
    free(wide);
    out = fmemopen(NULL, 1000, "w+");
    CHECK(out != NULL && fputs("text", out) >= 0);
    fclose(out);
}

static void names(void)
{
    char *path = realpath("/usr/../usr/./lib", NULL);
    CHECK(path != NULL && path[0] == '/');
    free(path);
    path = canonicalize_file_name("/");
    CHECK(path != NULL && strcmp(path, "/") == 0);
    free(path);
    path = getcwd(NULL, 0);
    CHECK(path != NULL);
    free(path);
    path = get_current_dir_name();
    CHECK(path != NULL);
    free(path);

    struct dirent **entries;
    int n = scandir("/etc", &entries, any, alphasort);
    CHECK(n > 2);
    for (int i = 0; i < n; i++)
        free(entries[i]);
    free(entries);
    glob_t found;
    CHECK(glob("/etc/*", 0, NULL, &found) == 0 && found.gl_pathc > 2);
    globfree(&found);
    DIR *dir = opendir("/");
    CHECK(dir != NULL && readdir(dir) != NULL);
    closedir(dir);
}

static void strings(void)
{
    char *text;
    CHECK(asprintf(&text, "%*d", 5000, 1) == 5000 && strlen(text) == 5000);
    char *copy = strdup(text), *half = strndup(text, 2500);
    CHECK(copy != NULL && half != NULL && strlen(half) == 2500);
    CHECK((copy = realloc(copy, 100000)) != NULL && strlen(copy) == 5000);
    free(text);
    free(copy);
    free(half);
    wchar_t *wide = wcsdup(L"wide");
    CHECK(wide != NULL);
    free(wide);
    char *first, *second;
    CHECK(sscanf("hello world", "%ms %m[a-z]", &first, &second) == 2);
    CHECK(strcmp(first, "hello") == 0 && strcmp(second, "world") == 0);
    free(first);
    free(second);
    regex_t regex;
    CHECK(regcomp(&regex, "^(a|b)*[0-9]{3,20}(x+y*)+$", REG_EXTENDED) == 0);
    CHECK(regexec(&regex, "abab12345xxyxy", 0, NULL, 0) == 0);
    regfree(&regex);
}

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

int main(void)
{
    for (int i = 0; i < 20; i++) {
        lines();
        memory_streams();
        names();
        strings();
    }
    /* A tree whose keys are ours, whose nodes are libc's. */
    void *root = NULL;
    for (int i = 0; i < 1000; i++) {
        char *key;
        CHECK(asprintf(&key, "%d", i * 7919 % 1009) > 0);
        CHECK(tsearch(key, &root, compare) != NULL);
    }
    tdestroy(root, free);
    CHECK(setenv("A_LONG_VALUE", "value", 1) == 0 && unsetenv("A_LONG_VALUE") == 0);
    for (int i = 0; i < 500; i++) {
        char name[32];
        snprintf(name, sizeof name, "NAME_%d", i);
        CHECK(setenv(name, "value", 1) == 0);
    }
    CHECK(clearenv() == 0);
    CHECK(setlocale(LC_ALL, "C.UTF-8") != NULL || setlocale(LC_ALL, "C") != NULL);
    /* A buffer of our own under a stream, and putenv of a string of our own. */
    FILE *file = tmpfile();
    char *buffer = malloc(100000), *own = strdup("OWN=1");
    CHECK(file != NULL && setvbuf(file, buffer, _IOFBF, 100000) == 0 && putenv(own) == 0);
    for (int i = 0; i < 50000; i++)
        fputs("text ", file);
    fclose(file);
    free(buffer);
    CHECK(strcmp(getenv("OWN"), "1") == 0);
    return ok();
}
