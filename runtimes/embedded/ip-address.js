// What is an IP address by its spelling: 4, 6 or 0.

'use strict';

const BYTE = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
const V4 = new RegExp(`^${BYTE}(?:\\.${BYTE}){3}$`, 'u');
const GROUP = /^[0-9a-fA-F]{1,4}$/u;

function isIPv6(text) {
  let bare = text.replace(/%[0-9A-Za-z._~-]+$/u, '');
  const dotted = /:([\d.]+)$/u.exec(bare);
  // A dotted tail stands for two groups.
  if (dotted && dotted[1].includes('.')) {
    if (!V4.test(dotted[1])) return false;
    bare = bare.slice(0, -dotted[1].length) + '0:0';
  }
  const halves = bare.split('::');
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  if (!groups.every((group) => GROUP.test(group))) return false;
  return halves.length === 2 ? groups.length < 8 : groups.length === 8;
}

const isIPv4 = (text) => V4.test(text);

function isIP(value) {
  const text = String(value ?? '');
  if (isIPv4(text)) return 4;
  return text.includes(':') && isIPv6(text) ? 6 : 0;
}

module.exports = {
  isIP,
  isIPv4: (value) => isIP(value) === 4,
  isIPv6: (value) => isIP(value) === 6,
};
