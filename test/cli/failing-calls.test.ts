// long: a process for each system call

import { callsThatFail, failingDisk } from './failing-disk.ts';

failingDisk();
callsThatFail(1);
