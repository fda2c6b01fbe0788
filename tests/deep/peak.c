/*
 * peak.c: runs a program and looks at what it took: memory, and seconds of the processor.
 *
 *	peak [-m MIB] [-s SECONDS] [-x STATUS] PROGRAM ARGUMENTS...    one case: within all three
 *	peak -p PROGRAM ARGUMENTS...                                   prints its peak memory in KiB
 */
#include "child.h"
#include <sys/resource.h>

int
main(int argc, char **argv)
{
	long mib = 0, seconds = 0, status = 0, print = 0, took;
	struct rusage use;
	int c, end, null;
	pid_t pid;

	while ((c = getopt(argc, argv, "+m:ps:x:")) != -1) {
		if (c == 'm')
			mib = strtol(optarg, NULL, 10);
		else if (c == 's')
			seconds = strtol(optarg, NULL, 10);
		else if (c == 'x')
			status = strtol(optarg, NULL, 10);
		else if (c == 'p')
			print = 1;
		else
			return 2;
	}
	if (optind == argc)
		errx(2, "usage: peak [-m MIB] [-s SECONDS] [-x STATUS] | -p PROGRAM ARGUMENTS...");
	if ((pid = fork()) == 0) {
		null = open("/dev/null", O_WRONLY);
		if (dup2(null, 1) < 0 || dup2(null, 2) < 0)
			_exit(126);
		execvp(argv[optind], argv + optind);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &end, 0, &use) != pid)
		err(2, "wait");
	took = use.ru_utime.tv_sec + use.ru_stime.tv_sec;
	if (print) {
		printf("%ld\n", use.ru_maxrss);
		return !WIFEXITED(end) || WEXITSTATUS(end) != 0;
	}
	end = WIFEXITED(end) ? WEXITSTATUS(end) : -1;
	c = end != status || (mib > 0 && use.ru_maxrss > mib * 1024) || (seconds > 0 && took >= seconds);
	if (c)
		printf("exit %d, %ld MiB, %ld s\n", end, use.ru_maxrss / 1024, took);
	printf("1 cases, %d failures\n", c);
	return c;
}
