-- WordPress's own tables, as far as people go. Made by make.php.
CREATE TABLE wp_users (ID bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  user_login varchar(60) NOT NULL DEFAULT '', user_pass varchar(255) NOT NULL DEFAULT '',
  user_nicename varchar(50) NOT NULL DEFAULT '', user_email varchar(100) NOT NULL DEFAULT '',
  user_registered datetime NOT NULL DEFAULT '2020-01-01 00:00:00', display_name varchar(250) NOT NULL DEFAULT '',
  KEY user_login_key (user_login), KEY user_email (user_email)) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;
CREATE TABLE wp_usermeta (umeta_id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  user_id bigint unsigned NOT NULL DEFAULT 0, meta_key varchar(255), meta_value longtext,
  KEY user_id (user_id)) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;
INSERT INTO wp_users (ID, user_login, user_pass, user_nicename, user_email, display_name)
  VALUES (1, 'ann', '$P$BI/0xMa.Vp4R5RFU.Ad3PvS4.B8B0P1', 'ann', 'ann@example.org', 'Ann Example');
INSERT INTO wp_usermeta (user_id, meta_key, meta_value) VALUES (1, 'first_name', 'Ann');
INSERT INTO wp_usermeta (user_id, meta_key, meta_value) VALUES (1, 'last_name', 'Example');
INSERT INTO wp_usermeta (user_id, meta_key, meta_value) VALUES (1, 'wp_capabilities', 'a:1:{s:10:"subscriber";b:1;}');
INSERT INTO wp_users (ID, user_login, user_pass, user_nicename, user_email, display_name)
  VALUES (2, 'ohara', '$wp$2y$10$3bJ9X2KpQRNy2iFCT94Jh.9CovKVUIgybQAfUyW3HuN5r9x.LnTA2', 'ohara', 'o''hara@example.org', 'Zoë O''Hara');
INSERT INTO wp_usermeta (user_id, meta_key, meta_value) VALUES (2, 'first_name', 'Zoë');
INSERT INTO wp_usermeta (user_id, meta_key, meta_value) VALUES (2, 'last_name', 'O''Hara');
INSERT INTO wp_usermeta (user_id, meta_key, meta_value) VALUES (2, 'wp_capabilities', 'a:1:{s:10:"subscriber";b:1;}');
INSERT INTO wp_users (ID, user_login, user_pass, user_nicename, user_email, display_name)
  VALUES (3, 'plus', '$P$B6V3EswTJqXW.49R8L1iwLdeUjfsUm.', 'plus', 'petra+shop@mail.example.org', 'Petra Plus');
INSERT INTO wp_usermeta (user_id, meta_key, meta_value) VALUES (3, 'first_name', 'Petra');
INSERT INTO wp_usermeta (user_id, meta_key, meta_value) VALUES (3, 'last_name', 'Plus');
INSERT INTO wp_usermeta (user_id, meta_key, meta_value) VALUES (3, 'wp_capabilities', 'a:1:{s:10:"subscriber";b:1;}');
INSERT INTO wp_users (ID, user_login, user_pass, user_nicename, user_email, display_name)
  VALUES (4, 'upper', 'cfa8daebc9dccd48c3cc323eb14b3623', 'upper', 'Udo.Upper@Example.org', 'Udo Upper');
INSERT INTO wp_usermeta (user_id, meta_key, meta_value) VALUES (4, 'first_name', 'Udo');
INSERT INTO wp_usermeta (user_id, meta_key, meta_value) VALUES (4, 'last_name', 'Upper');
INSERT INTO wp_usermeta (user_id, meta_key, meta_value) VALUES (4, 'wp_capabilities', 'a:1:{s:10:"subscriber";b:1;}');
INSERT INTO wp_users (ID, user_login, user_pass, user_nicename, user_email, display_name)
  VALUES (5, 'long', '$wp$2y$10$60XZCz0EGn8ph6fXhN9g7.sKU5aGNIDK1GT.RzGGeCSSw73v0QVwe', 'long', 'long@example.org', 'Lona Long');
INSERT INTO wp_usermeta (user_id, meta_key, meta_value) VALUES (5, 'first_name', 'Lona');
INSERT INTO wp_usermeta (user_id, meta_key, meta_value) VALUES (5, 'last_name', 'Long');
INSERT INTO wp_usermeta (user_id, meta_key, meta_value) VALUES (5, 'wp_capabilities', 'a:1:{s:10:"subscriber";b:1;}');
