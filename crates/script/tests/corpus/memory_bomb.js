// V8 aborts the process when its heap is full.
function login(email, password, callback) {
  const kept = [];
  for (;;) kept.push(new Array(100000).fill(Math.random()));
}
