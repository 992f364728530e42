"""Tables of each kind as people fill them in, and what came of a run."""


def counts(run) -> tuple[int, int, int, int]:
    return run.created, run.updated, run.unchanged, run.rejected


def problems(run) -> list[str]:
    return [f"{name}: {text}" if name else text for row in run.rows.all() for name, text in row.problems]


NEW = {  # a new record of each kind, and who may bring it in
    "countries": (
        "iso3,iso2,m49,name_en,name_fr,region,is_un_member,groups\nXKX,XK,983,Testland,Pays,039,yes,sids; ldc\n", "administrator",
    ),
    "partners": ("slug,name_en,kind,country,member_countries,website\nnew-body,New body,10,KEN,KEN;BRA,https://a.example.org\n", "desk"),
    "projects": (
        "title,summary,status,modality,countries,partners,terms,planned_start,contribution,contribution_by,contribution_kind,quantity,"
        "delivered,unit,women,men,amount,spent,currency\n"
        "Wells,Two towns.,2,triangular,BRA:provider:1; MOZ:provider:2; KEN,undp:1; unep,bsp-theme:freshwater:60,2026-01-01,"
        "Trainers,BRA,,12,3,expert-days,,,1000.50,,USD\n"
        ",,,,,,bsp-theme:air:40,,Method,undp,,,,,,,,,\n", "desk",
    ),
    "needs": (
        "key,country,kind,title,problem,terms,languages,line,assistance,quantity,unit,by_when,line_note\n"
        "N1,KEN,capacity,Air laboratory,No data.,bsp-theme:air – Air pollution and ozone,en;fr,Train staff,training,12,places,2027-06,\n"
        "N1,,,,,bsp-theme:waste,,Instruments,,,,,later\n", "desk",
    ),
    "offers": (
        "key,partner,kind,title,summary,terms,eligible,line,assistance,cost,quantity,unit,line_note\n"
        "O1,undp,training,Course,Learn.,bsp-theme:air,KEN; ldc,Places,training,cost,3,places,\n", "desk",
    ),
}  # fmt: skip
