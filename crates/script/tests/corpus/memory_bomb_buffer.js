// Buffers are outside V8's heap, so its limit does not count them. The pauses let the memory grow
// over several turns, as a script that reads a large answer would.
function login(email, password, callback) {
  const kept = [];
  const grow = () => {
    kept.push(Buffer.alloc(10 << 20, kept.length));
    setImmediate(grow);
  };
  grow();
}
