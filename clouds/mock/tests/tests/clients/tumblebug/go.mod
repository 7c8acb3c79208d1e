module tumblebug

go 1.22
