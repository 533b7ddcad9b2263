<?php
// Writes the stores that the starter scripts are tried on. The hashes are made by WordPress's own
// class-phpass.php (of the Debian package wordpress 6.1.9) and by PHP's password_hash and crypt:
//
//     php make.php /usr/share/wordpress/wp-includes/class-phpass.php
//
// Salts are random: running it again changes the files. PHP 8.2 made the ones beside this script.

require $argv[1];

const PEPPER = 'pepper of the shop';

// user name, address, password, given name, family name, verified
$people = [
    ['ann', 'ann@example.org', 'correct horse', 'Ann', 'Example', true],
    ['ohara', "o'hara@example.org", "pässwörd (1)*", 'Zoë', "O'Hara", false],
    ['plus', 'petra+shop@mail.example.org', 'plus+plus', 'Petra', 'Plus', true],
    ['upper', 'Udo.Upper@Example.org', 'UPPER lower', 'Udo', 'Upper', true],
    ['long', 'long@example.org', str_repeat('long ', 30) . 'end', 'Lona', 'Long', true],
];

function quoted(string $text): string
{
    return "'" . str_replace("'", "''", $text) . "'";
}

function phpass(string $password): string
{
    return (new PasswordHash(8, true))->HashPassword($password);
}

// wp_hash_password of WordPress 6.8.
function wordpress68(string $password): string
{
    $fits = base64_encode(hash_hmac('sha384', trim($password), 'wp-sha384', true));
    return '$wp' . password_hash($fits, PASSWORD_BCRYPT, ['cost' => 10]);
}

$salt = fn () => strtr(substr(base64_encode(random_bytes(12)), 0, 16), '+', '.');

// ---- WordPress: five people, one kind of hash each -------------------------------------------------
$made = ['phpass', 'wordpress68', 'phpass', 'md5', 'wordpress68'];
$sql = "-- WordPress's own tables, as far as people go. Made by make.php.\n"
    . "CREATE TABLE wp_users (ID bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,\n"
    . "  user_login varchar(60) NOT NULL DEFAULT '', user_pass varchar(255) NOT NULL DEFAULT '',\n"
    . "  user_nicename varchar(50) NOT NULL DEFAULT '', user_email varchar(100) NOT NULL DEFAULT '',\n"
    . "  user_registered datetime NOT NULL DEFAULT '2020-01-01 00:00:00', display_name varchar(250) NOT NULL DEFAULT '',\n"
    . "  KEY user_login_key (user_login), KEY user_email (user_email)) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;\n"
    . "CREATE TABLE wp_usermeta (umeta_id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,\n"
    . "  user_id bigint unsigned NOT NULL DEFAULT 0, meta_key varchar(255), meta_value longtext,\n"
    . "  KEY user_id (user_id)) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;\n";
foreach ($people as $index => [$name, $email, $password, $given, $family]) {
    $id = $index + 1;
    $hash = $made[$index]($password);
    $sql .= "INSERT INTO wp_users (ID, user_login, user_pass, user_nicename, user_email, display_name)\n  VALUES ($id, "
        . implode(', ', array_map('quoted', [$name, $hash, $name, $email, "$given $family"])) . ");\n";
    $meta = ['first_name' => $given, 'last_name' => $family, 'wp_capabilities' => serialize(['subscriber' => true])];
    foreach ($meta as $key => $value) {
        $sql .= "INSERT INTO wp_usermeta (user_id, meta_key, meta_value) VALUES ($id, '$key', " . quoted($value) . ");\n";
    }
}
file_put_contents('wordpress.sql', $sql);

// ---- a plain table, for PostgreSQL and MariaDB alike -------------------------------------------------
$kinds = [
    fn ($password) => password_hash($password, PASSWORD_BCRYPT, ['cost' => 10]),
    fn ($password) => password_hash($password, PASSWORD_ARGON2ID, ['memory_cost' => 8192, 'time_cost' => 2]),
    fn ($password) => crypt($password, '$6$' . $salt() . '$'),
    fn ($password) => crypt($password, '$1$' . substr($salt(), 0, 8) . '$'),
    fn ($password) => crypt($password, '$5$rounds=2000$' . $salt() . '$'),
];
$sql = "-- A table as the templates postgres and mysql expect it. Made by make.php.\n"
    . "CREATE TABLE users (id serial PRIMARY KEY, email varchar(255) NOT NULL, username varchar(100), password_hash varchar(255),\n"
    . "  email_verified boolean NOT NULL DEFAULT false, given_name varchar(100), family_name varchar(100),\n"
    . "  created_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP);\n";
foreach ($people as $index => [$name, $email, $password, $given, $family, $verified]) {
    $values = array_map('quoted', [$email, $name, $kinds[$index]($password)]);
    $sql .= 'INSERT INTO users (id, email, username, password_hash, email_verified, given_name, family_name)' . "\n  VALUES ("
        . implode(', ', [$index + 11, ...$values, $verified ? 'true' : 'false', quoted($given), quoted($family)]) . ");\n";
}
file_put_contents('users.sql', $sql);

// ---- Devise: bcrypt of the password and the pepper ---------------------------------------------------
$sql = "-- The table of Devise's generators with :confirmable and :lockable. The pepper is '" . PEPPER . "'.\n"
    . "-- Made by make.php: PHP's bcrypt, which writes \$2y\$ where Ruby's writes \$2a\$.\n"
    . "CREATE TABLE users (id bigserial PRIMARY KEY, email varchar NOT NULL DEFAULT '', encrypted_password varchar NOT NULL DEFAULT '',\n"
    . "  confirmed_at timestamp, locked_at timestamp, created_at timestamp NOT NULL DEFAULT now(), updated_at timestamp NOT NULL DEFAULT now());\n";
foreach ($people as $index => [$name, $email, $password, $given, $family, $verified]) {
    $hash = str_replace('$2y$', '$2a$', password_hash($password . PEPPER, PASSWORD_BCRYPT, ['cost' => 11]));
    $sql .= 'INSERT INTO users (id, email, encrypted_password, confirmed_at) VALUES ('
        . implode(', ', [$index + 1, quoted($email), quoted($hash), $verified ? "'2020-01-01'" : 'NULL']) . ");\n";
}
file_put_contents('devise.sql', $sql);
