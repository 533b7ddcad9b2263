-- A table as the templates postgres and mysql expect it. Made by make.php.
CREATE TABLE users (id serial PRIMARY KEY, email varchar(255) NOT NULL, username varchar(100), password_hash varchar(255),
  email_verified boolean NOT NULL DEFAULT false, given_name varchar(100), family_name varchar(100),
  created_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP);
INSERT INTO users (id, email, username, password_hash, email_verified, given_name, family_name)
  VALUES (11, 'ann@example.org', 'ann', '$2y$10$BqKmQuSo5TfDBmM6aWXQtO9pYzkJEeB35C3ceL/nfISLmk7bs3uJ2', true, 'Ann', 'Example');
INSERT INTO users (id, email, username, password_hash, email_verified, given_name, family_name)
  VALUES (12, 'o''hara@example.org', 'ohara', '$argon2id$v=19$m=8192,t=2,p=1$N3VqYnRWNlpmbjc5ZjBKQw$BfE44Pjzn7CF5tNW2BGJZ9Jr7JM9N3fbXV0GJ4PUnkw', false, 'Zoë', 'O''Hara');
INSERT INTO users (id, email, username, password_hash, email_verified, given_name, family_name)
  VALUES (13, 'petra+shop@mail.example.org', 'plus', '$6$YI5BywkOgkROtJEY$ORX9mXRAOvAbyGtQc88Lv95Ug3Dpq0PWp8rvzjLxtXZ9LUZirdgLnfDIXO1o.otK0GEazGBKQSaq4eF4UxTvn1', true, 'Petra', 'Plus');
INSERT INTO users (id, email, username, password_hash, email_verified, given_name, family_name)
  VALUES (14, 'Udo.Upper@Example.org', 'upper', '$1$469lB94m$uOIfyuQiE6JHHMsxYg43x0', true, 'Udo', 'Upper');
INSERT INTO users (id, email, username, password_hash, email_verified, given_name, family_name)
  VALUES (15, 'long@example.org', 'long', '$5$rounds=2000$VdBsrudgOEgaEPpp$OS.uspgntJ/87jEqFMm.ASjw5Oll..i4l.PHE4blZq9', true, 'Lona', 'Long');
