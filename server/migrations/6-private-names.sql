-- The name of a private room says that it is one, however it came into being.
UPDATE room SET private = 1 WHERE length(name) = 34 AND name GLOB 'p-*' AND substr(name, 3) NOT GLOB '*[^0-9a-f]*';
