-- The table of Devise's generators with :confirmable and :lockable. The pepper is 'pepper of the shop'.
-- Made by make.php: PHP's bcrypt, which writes $2y$ where Ruby's writes $2a$.
CREATE TABLE users (id bigserial PRIMARY KEY, email varchar NOT NULL DEFAULT '', encrypted_password varchar NOT NULL DEFAULT '',
  confirmed_at timestamp, locked_at timestamp, created_at timestamp NOT NULL DEFAULT now(), updated_at timestamp NOT NULL DEFAULT now());
INSERT INTO users (id, email, encrypted_password, confirmed_at) VALUES (1, 'ann@example.org', '$2a$11$tfL08KJpyW2LtudcIOGQP.7Et9vvvtp7kaSbWhkCKmo9Uo11gFwIe', '2020-01-01');
INSERT INTO users (id, email, encrypted_password, confirmed_at) VALUES (2, 'o''hara@example.org', '$2a$11$yB3iTmpers/WR9k0TrY.yeRKqKFvhSfjD.dfgReZ.VtKSYQ44nzFO', NULL);
INSERT INTO users (id, email, encrypted_password, confirmed_at) VALUES (3, 'petra+shop@mail.example.org', '$2a$11$Zkes6oplATWCNRdquCsPgu7DAUNtTm0jNuWuH8ommS4Dvj4Y1QbB6', '2020-01-01');
INSERT INTO users (id, email, encrypted_password, confirmed_at) VALUES (4, 'Udo.Upper@Example.org', '$2a$11$s1xKfiJEa3HLcxU9UCL57.EffCPA5l5mW.bOc05CzCyQrEpkQH5ZK', '2020-01-01');
INSERT INTO users (id, email, encrypted_password, confirmed_at) VALUES (5, 'long@example.org', '$2a$11$ZOR7/DMhqNeZWjdcmZz3reuY6KV/eP01jkrMe42lS35XcRRwcAipS', '2020-01-01');
