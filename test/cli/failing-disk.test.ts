// slow: processes whose system calls fail

import { callsThatFail, failingDisk, namesThatFail } from './failing-disk.ts';

failingDisk();
// test/cli/failing-calls.test.ts has all of them.
callsThatFail(4);
namesThatFail();
