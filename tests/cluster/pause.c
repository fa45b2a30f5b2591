/* Holds a pod's namespaces open and buries the processes that its containers leave behind. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void leave(int signal) {
    (void)signal;
    _exit(0);
}

static void bury(int signal) {
    (void)signal;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
}

int main(void) {
    struct sigaction children = {.sa_handler = bury, .sa_flags = SA_NOCLDSTOP};
    sigaction(SIGCHLD, &children, NULL);
    signal(SIGTERM, leave);
    signal(SIGINT, leave);
    for (;;)
        pause();
}
