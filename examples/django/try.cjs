// Runs login.js and get_user.js against a filled store, without Ferry:
//
//   LEGACY_DATABASE_URL=postgres://… node try.cjs users.json
//
// users.json is what `manage.py seed_users` printed. Every kind of user is tried; the process fails
// on the first answer that is not what Django itself would have said.

'use strict';

const assert = require('node:assert/strict');
const { readFileSync } = require('node:fs');
const { join } = require('node:path');

class WrongUsernameOrPasswordError extends Error {}

const configuration = { LEGACY_DATABASE_URL: process.env.LEGACY_DATABASE_URL };

function load(file, name) {
  const source = readFileSync(join(__dirname, file), 'utf8');
  const parameters = ['require', 'configuration', 'WrongUsernameOrPasswordError'];
  const build = new Function(...parameters, `${source}\nreturn ${name};`);
  const script = build(require, configuration, WrongUsernameOrPasswordError);
  return (...values) =>
    new Promise((resolve, reject) => {
      script(...values, (error, profile) => (error ? reject(error) : resolve(profile)));
    });
}

const login = load('login.js', 'login');
const getByEmail = load('get_user.js', 'getByEmail');

function expected(person) {
  return {
    user_id: String(person.id),
    email: person.email || undefined,
    email_verified: person.email_verified,
    username: person.username,
    given_name: person.given_name,
    family_name: person.family_name,
    name: person.name,
    blocked: !person.is_active,
    user_metadata: { locale: person.locale, newsletter: person.newsletter },
    app_metadata: {
      django_id: person.id,
      is_staff: person.is_staff,
      plan: person.plan,
      // JavaScript's dates end at milliseconds.
      date_joined: new Date(person.date_joined).toISOString(),
    },
  };
}

async function tryPerson(person) {
  if (person.password === null) {
    await assert.rejects(login(person.username, person.password_hash), WrongUsernameOrPasswordError);
    return;
  }
  assert.deepEqual(await login(person.username, person.password), expected(person));
  await assert.rejects(login(person.username, `${person.password}x`), WrongUsernameOrPasswordError);
  if (person.email === '' || person.kind === 'ordinary') return;
  // The address in any case; of two rows with one address, the one whose password it is.
  assert.deepEqual(await login(person.email.toUpperCase(), person.password), expected(person));
  const found = await getByEmail(person.email.toLowerCase());
  if (person.kind !== 'shared_email') assert.deepEqual(found, expected(person));
}

async function main() {
  const people = JSON.parse(readFileSync(process.argv[2], 'utf8'));
  // Eight ordinary ones (passwords come in eight alphabets), and everybody who is special.
  const chosen = people.filter((person, index) => index < 8 || person.kind !== 'ordinary');
  await Promise.all(chosen.map(tryPerson));
  await assert.rejects(login('nobody@example.com', 'x'), WrongUsernameOrPasswordError);
  assert.equal(await getByEmail('nobody@example.com'), null);
  console.log(`${chosen.length} users tried`);
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
