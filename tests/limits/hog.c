/* Eats memory as it is told by the variable HOG: phases, divided by semicolons, that follow one another.
 *
 *     grow BYTES SECONDS       takes so much more, evenly over the time
 *     shrink                   gives back what the last `grow` took
 *     sleep SECONDS
 *     say WORDS                writes a line to the log
 *     leak BYTES               takes so much more each second, for ever
 *     file PATH BYTES SECONDS  writes a file, on disk or in memory
 *     read PATH SECONDS        reads a file again and again, which fills the page cache
 *     heap BYTES SECONDS       takes the heap that -Xmx or -XX:MaxRAMPercentage allow, and BYTES beside it
 *     serve BYTES SECONDS      forks the workers of -w; each takes so much; says when all have lived for ten seconds
 *     pool BYTES SECONDS       the same, but nobody takes the place of a worker that is killed
 *     child BYTES SECONDS      the same with one child, of whose end nothing is said
 *     repeat                   begins anew after the first phase
 *
 * After the last of them it sleeps. BYTES are decimal: 80M are 80,000,000. What it is told by its arguments is what a real
 * program of that name would be told, so that one reads the same there. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096
#define STEPS_A_SECOND 20
#define MAX_WORKERS 16
#define MEBI (1L << 20)
#define ROOM (1L << 36) /* more than a leak can fill */

static char **arguments;
static char *last_taken;
static long last_size;

static void die(const char *what) {
    perror(what);
    exit(1);
}

static void leave(int signal) {
    (void)signal;
    _exit(0);
}

static void nap(double seconds) {
    struct timespec time = {(time_t)seconds, (long)((seconds - (long)seconds) * 1e9)};
    nanosleep(&time, NULL);
}

static void say(const char *words) {
    printf("%s\n", words);
    fflush(stdout);
}

static long bytes(const char *text) {
    char *unit;
    double number = strtod(text, &unit);
    return (long)(number * (*unit == 'M' ? 1e6 : *unit == 'k' ? 1e3 : 1));
}

/* Writes to each page: what is only reserved does not count. Not zeros, in case a kernel merges or compresses them. */
static void touch(char *from, long size) {
    for (long at = 0; at < size; at += PAGE)
        from[at] = (char)(at / PAGE + 1);
}

static char *reserve(long size) {
    char *room = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED)
        die("mmap");
    return room;
}

static void grow(long size, double seconds) {
    char *taken = reserve(size);
    long steps = (long)(seconds * STEPS_A_SECOND) + 1, step = (size / steps + PAGE) / PAGE * PAGE;
    for (long at = 0; at < size; at += step) {
        touch(taken + at, at + step < size ? step : size - at);
        nap(1.0 / STEPS_A_SECOND);
    }
    last_taken = taken;
    last_size = size;
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

/* By the clock, so that a busy machine does not make it slower. */
static void leak(long a_second) {
    char *taken = reserve(ROOM);
    double start = now();
    for (long done = 0; done < ROOM;) {
        long due = (long)((now() - start) * a_second) / PAGE * PAGE;
        touch(taken + done, due - done);
        done = due;
        nap(1.0 / STEPS_A_SECOND);
    }
}

static void fill(const char *path, long size, double seconds) {
    static char block[64 * 1024];
    int file = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
    if (file < 0)
        die(path);
    memset(block, 'x', sizeof block);
    for (long at = 0; at < size; at += sizeof block) {
        if (write(file, block, sizeof block) < 0)
            die(path);
        nap(seconds * sizeof block / size);
    }
    close(file);
}

static void read_again(const char *path, double seconds) {
    static char block[64 * 1024];
    time_t end = time(NULL) + (time_t)seconds;
    while (time(NULL) < end) {
        int file = open(path, O_RDONLY);
        if (file < 0)
            die(path);
        while (read(file, block, sizeof block) > 0)
            ;
        close(file);
        nap(1);
    }
}

/* The rest of the last argument that begins so; NULL without one. */
static const char *flag(const char *prefix) {
    const char *found = NULL;
    for (char **argument = arguments; *argument; argument++)
        if (strncmp(*argument, prefix, strlen(prefix)) == 0)
            found = *argument + strlen(prefix);
    return found;
}

/* The container's limit, as a runtime finds it. */
static long limit(void) {
    const char *paths[] = {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"};
    long limit = 0;
    for (int i = 0; i < 2 && limit == 0; i++) {
        FILE *file = fopen(paths[i], "r");
        if (file && fscanf(file, "%ld", &limit) != 1)
            limit = 0;
        if (file)
            fclose(file);
    }
    return limit;
}

static void heap(long beside, double seconds) {
    const char *fixed = flag("-Xmx"), *share = flag("-XX:MaxRAMPercentage=");
    long size = fixed ? atol(fixed) * MEBI : share ? (long)(limit() / 100.0 * atof(share)) : limit() / 4;
    grow(beside, seconds / 4);
    grow(size, seconds);
}

static pid_t worker(long size, double seconds) {
    pid_t child = fork();
    if (child < 0)
        die("fork");
    if (child == 0) {
        grow(size, seconds);
        for (;;)
            pause();
    }
    return child;
}

/* As gunicorn does: who is killed is named in the log, unless it is to be silent, and another one takes the place. */
static void serve(int count, int silent, int replaces, long size, double seconds) {
    time_t quiet_since = time(NULL);
    int told = 0, alive = count;
    for (int i = 0; i < count; i++)
        worker(size, seconds);
    for (;;) {
        int status;
        pid_t dead = waitpid(-1, &status, WNOHANG);
        if (dead > 0) {
            if (!silent) {
                printf("[ERROR] Worker (pid:%d) was sent SIGKILL! Perhaps out of memory?\n", dead);
                fflush(stdout);
            }
            if (replaces)
                worker(size, seconds);
            else
                alive--;
            quiet_since = time(NULL);
        } else if (!told && alive == count && time(NULL) - quiet_since >= 10 + (long)seconds) {
            told = 1;
            say("lived through the peak");
        }
        nap(0.2);
    }
}

static int workers(void) {
    for (char **argument = arguments; argument[0] && argument[1]; argument++)
        if (strcmp(*argument, "-w") == 0)
            return atoi(argument[1]);
    return 1;
}

static void run(char *phase, char **again) {
    char verb[16] = "", first[128] = "", second[64] = "", third[64] = "";
    sscanf(phase, "%15s %127s %63s %63s", verb, first, second, third);
    if (strcmp(verb, "grow") == 0)
        grow(bytes(first), atof(second));
    else if (strcmp(verb, "shrink") == 0)
        munmap(last_taken, last_size);
    else if (strcmp(verb, "sleep") == 0)
        nap(atof(first));
    else if (strcmp(verb, "say") == 0)
        say(strstr(phase, "say ") + 4);
    else if (strcmp(verb, "leak") == 0)
        leak(bytes(first));
    else if (strcmp(verb, "file") == 0)
        fill(first, bytes(second), atof(third));
    else if (strcmp(verb, "read") == 0)
        read_again(first, atof(second));
    else if (strcmp(verb, "heap") == 0)
        heap(bytes(first), atof(second));
    else if (strcmp(verb, "serve") == 0)
        serve(workers(), 0, 1, bytes(first), atof(second));
    else if (strcmp(verb, "pool") == 0)
        serve(workers(), 0, 0, bytes(first), atof(second));
    else if (strcmp(verb, "child") == 0)
        serve(1, 1, 1, bytes(first), atof(second));
    else if (strcmp(verb, "repeat") == 0)
        *again = strchr(getenv("HOG"), ';');
    else {
        fprintf(stderr, "hog: no such phase: %s\n", phase);
        exit(2);
    }
}

int main(int count, char **values) {
    (void)count;
    arguments = values;
    signal(SIGTERM, leave);
    char *script = getenv("HOG");
    while (script) {
        char *copy = strdup(script), *rest = copy, *phase, *again = NULL;
        while ((phase = strsep(&rest, ";")))
            if (*(phase += strspn(phase, " ")))
                run(phase, &again);
        free(copy);
        script = again;
    }
    for (;;)
        pause();
}
