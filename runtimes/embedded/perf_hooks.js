// `perf_hooks`: the clock.

'use strict';

const performance = {
  timeOrigin: Date.now() - native.now(),
  now: () => native.now(),
  mark: () => ({}),
  measure: () => ({}),
  clearMarks() {},
  clearMeasures() {},
  eventLoopUtilization: () => ({ idle: 0, active: 0, utilization: 0 }),
  timerify: (call) => call,
  toJSON: () => ({ timeOrigin: performance.timeOrigin }),
};

class PerformanceObserver {
  observe() {}

  disconnect() {}
}

module.exports = { performance, PerformanceObserver, constants: {} };
