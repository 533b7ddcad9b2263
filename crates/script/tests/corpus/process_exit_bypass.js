function login(email, password, callback) {
  try {
    process.reallyExit(3);
  } catch {
    process.kill(process.pid, 'SIGKILL');
  }
}
