// Package kill proves what berth promises of processes that are killed: it starts
// `berth up` as a user does, runs tasks with AWS's own client, kills berth's
// processes with SIGKILL under way, and holds berth to this at the end:
//
//   - a task that RunTask answered with is described for as long as AWS would, and a
//     RunTask that is sent again with its client token, because the answer never
//     came, starts nothing twice;
//   - a program is started once, goes on while berth's processes end and begin, and
//     its exit code is known;
//   - each line that a container printed with log mode "blocking" is in its stream
//     once, in order;
//   - a StopTask that was answered stops the task;
//   - once all tasks have stopped the machine has all of its resources again.
//
// Ten kills by default; with BERTH_SOAK=1 a hundred. BERTH_SEED repeats a run's
// choices, though not its timing.
package kill
