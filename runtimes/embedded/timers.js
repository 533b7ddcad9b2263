// Timers, immediates and ticks: `setTimeout` and its kin.
//
// One heap holds all timers, and the native side is told of the earliest only: one wake-up, however
// many there are. A timer lets go of its function when it has run or was cleared, so that nothing a
// function holds (connections, buffers) stays for the rest of a timeout.
//
// The native side calls `runTicks`, `runTimer` and `beginImmediates`/`runImmediate`, one function of
// a script at a time, and runs promise jobs in between. Ticks come before promise jobs.

'use strict';

const { apply } = primordials;
const { turnNow, wake, ticksPending, immediatesPending } = native;
const LONGEST = 2147483647;

/** Takes what a function of a script throws; the runner sets it. */
let report = () => {};

function checked(callback) {
  if (typeof callback === 'function') return callback;
  const error = new TypeError('The "callback" argument must be of type function. ' +
    `Received ${callback === null ? 'null' : typeof callback}`);
  error.code = 'ERR_INVALID_ARG_TYPE';
  throw error;
}

function run(callback, args) {
  try {
    if (args === undefined) apply(callback, undefined, []);
    else apply(callback, undefined, args);
  } catch (thrown) {
    report(thrown);
  }
}

// ---- timers: a binary heap by due time, then by order of setting --------------------------------

/** Slots are written by index only: a guest may have replaced `push`. */
const heap = [];
let size = 0;
let sequence = 0;
let nextId = 1;
const byId = new Map();
const { get: mapGet, set: mapSet, delete: mapDelete } = {
  get: primordials.uncurry(Map.prototype.get),
  set: primordials.uncurry(Map.prototype.set),
  delete: primordials.uncurry(Map.prototype.delete),
};

const isBefore = (a, b) => a.due < b.due || (a.due === b.due && a.sequence < b.sequence);

function place(timer, index) {
  heap[index] = timer;
  timer.index = index;
}

function rise(timer, from) {
  let index = from;
  while (index > 0) {
    const parent = (index - 1) >> 1;
    if (!isBefore(timer, heap[parent])) break;
    place(heap[parent], index);
    index = parent;
  }
  place(timer, index);
}

function sink(timer, from) {
  let index = from;
  for (;;) {
    let child = 2 * index + 1;
    if (child >= size) break;
    if (child + 1 < size && isBefore(heap[child + 1], heap[child])) child += 1;
    if (!isBefore(heap[child], timer)) break;
    place(heap[child], index);
    index = child;
  }
  place(timer, index);
}

function schedule(timer, from) {
  timer.due = from + timer.delay;
  sequence += 1;
  timer.sequence = sequence;
  size += 1;
  rise(timer, size - 1);
  if (heap[0] === timer) wakeUp();
}

function unschedule(timer) {
  if (timer.index < 0) return;
  const { index } = timer;
  timer.index = -1;
  size -= 1;
  const moved = heap[size];
  heap[size] = undefined;
  // Room for many timers is given back: a flood must not cost memory for ever.
  if (heap.length > 64 && size < heap.length >> 2) heap.length = size;
  if (moved === timer) return;
  if (index > 0 && isBefore(moved, heap[(index - 1) >> 1])) rise(moved, index);
  else sink(moved, index);
}

function wakeUp() {
  const wait = size === 0 ? -1 : heap[0].due - turnNow();
  wake(size === 0 ? -1 : wait < 0 ? 0 : wait);
}

const floor = Math.floor;
const clock = () => floor(turnNow());

class Timeout {
  constructor(callback, delay, args, repeats) {
    const ms = +delay;
    this.delay = ms >= 1 && ms <= LONGEST ? floor(ms) : 1;
    this.callback = callback;
    this.args = args;
    this.repeats = repeats;
    this.index = -1;
    this.isRef = true;
    this.id = 0;
    schedule(this, clock());
  }

  ref() {
    this.isRef = true;
    return this;
  }

  unref() {
    this.isRef = false;
    return this;
  }

  hasRef() {
    return this.isRef;
  }

  refresh() {
    if (this.callback === undefined) return this;
    unschedule(this);
    schedule(this, clock());
    return this;
  }

  close() {
    release(this);
    return this;
  }

  /** A number by which old code knows a timer; it keeps the timer findable until it ends. */
  [Symbol.toPrimitive]() {
    if (this.id === 0) {
      this.id = nextId;
      nextId += 1;
      if (this.callback !== undefined) mapSet(byId, this.id, this);
    }
    return this.id;
  }
}

function release(timer) {
  unschedule(timer);
  timer.callback = undefined;
  timer.args = undefined;
  if (timer.id !== 0) mapDelete(byId, timer.id);
}

function setTimeout(callback, delay, ...args) {
  return new Timeout(checked(callback), delay, args.length === 0 ? undefined : args, false);
}

function setInterval(callback, delay, ...args) {
  return new Timeout(checked(callback), delay, args.length === 0 ? undefined : args, true);
}

function clearTimeout(timer) {
  if (timer instanceof Timeout) release(timer);
  else if (timer instanceof Immediate) clearImmediate(timer);
  else if (typeof timer === 'number' || typeof timer === 'string') {
    const found = mapGet(byId, +timer);
    if (found !== undefined) release(found);
  }
}

/** Runs one timer that is due; tells whether there may be more. */
function runTimer() {
  const timer = heap[0];
  if (timer === undefined || timer.due > turnNow()) {
    wakeUp();
    return false;
  }
  const { callback, args } = timer;
  unschedule(timer);
  if (timer.repeats) schedule(timer, clock());
  else release(timer);
  run(callback, args);
  return true;
}

// ---- immediates -----------------------------------------------------------------------------------

let waiting = [];
let running = [];
let position = 0;

class Immediate {
  constructor(callback, args) {
    this.callback = callback;
    this.args = args;
    waiting[waiting.length] = this;
    immediatesPending(true);
  }

  ref() {
    return this;
  }

  unref() {
    return this;
  }

  hasRef() {
    return true;
  }
}

function setImmediate(callback, ...args) {
  return new Immediate(checked(callback), args.length === 0 ? undefined : args);
}

function clearImmediate(immediate) {
  if (immediate instanceof Immediate) {
    immediate.callback = undefined;
    immediate.args = undefined;
  }
}

function beginImmediates() {
  running = waiting;
  waiting = [];
  position = 0;
  immediatesPending(false);
  return true;
}

/** Runs one of the immediates that were there when it began; tells whether there may be more. */
function runImmediate() {
  if (position >= running.length) return false;
  const immediate = running[position];
  running[position] = undefined;
  position += 1;
  const { callback, args } = immediate;
  clearImmediate(immediate);
  if (callback !== undefined) run(callback, args);
  return true;
}

// ---- ticks ----------------------------------------------------------------------------------------

let ticks = [];

function nextTick(callback, ...args) {
  checked(callback);
  ticks[ticks.length] = { callback, args: args.length === 0 ? undefined : args };
  ticksPending();
}

function runTicks() {
  while (ticks.length > 0) {
    const now = ticks;
    ticks = [];
    for (let index = 0; index < now.length; index += 1) {
      const { callback, args } = now[index];
      now[index] = undefined;
      run(callback, args);
    }
  }
}

const globals = {
  setTimeout, clearTimeout, setInterval, clearInterval: clearTimeout, setImmediate, clearImmediate,
};

module.exports = {
  ...globals,
  nextTick,
  queueMicrotask,
  globals,
  runTicks,
  runTimer,
  beginImmediates,
  runImmediate,
  onThrow: (take) => {
    report = take;
  },
};
