pragma journal_mode = delete;
create table person (id integer primary key, name text not null, town integer, born real);
create table town (id integer primary key, name text unique);
with recursive n(i) as (select 0 union all select i + 1 from n where i < 199)
  insert into town select i, 'town ' || (i * 37 % 211) from n;
with recursive n(i) as (select 1 union all select i + 1 from n where i < 40000)
  insert into person select i, printf('%08x', i * 2654435761 % 4294967296), i * 7 % 200, i / 7.0 from n;
create index person_name on person (name);
create index person_town on person (town, born);
select town.name, count(*), round(avg(born), 3), min(person.name)
  from person join town on town.id = person.town
  group by town.id having count(*) > 100 order by 2 desc, 1 limit 10;
select group_concat(name, ',') from (select name from person order by name limit 2000);
create view old as select * from person where born < 100;
select count(*), max(length(name)) from old;
begin;
update person set name = name || hex(zeroblob(200)) where id % 3 = 0;
delete from person where id % 5 = 0;
savepoint s;
delete from person;
rollback to s;
commit;
select count(*), sum(length(name)) from person;
select a.id, b.id from person a join person b on a.name = b.name and a.id < b.id limit 5;
select id, sum(born) over (partition by town order by id rows 3 preceding)
  from person where town = 17 limit 20;
vacuum;
pragma integrity_check;
