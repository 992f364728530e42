"""Words and phrases with which passwords are made so often that a guesser tries them first, in the six languages and in those
from which they come in most: read by passwords.py, which compares letters and figures alone, without accents."""

OF_THE_SITE = """
south north unep pnue pnuma united nations portal cooperation southsouth triangular environment environmental programme program
sustainable sustainability development contributor focalpoint focal point desk publisher provider recipient staff member
nairobi kenya partner partners project projects country countries need needs offer offers
sud nord cooperation environnement projet projets pays sur norte cooperacion medioambiente ambiente proyecto proyectos pais
юнеп оон юг север сотрудничество окружающаясреда проект проекты страна портал
يونيب بيئة البيئة تعاون التعاون الجنوب مشروع بوابة 联合国 环境 环境署 合作 南南合作 项目 门户
"""

PASSWORDS = """
password passwords passwort passphrase passcode passwd pass mypassword secret admin administrator root user username login signin
letmein changeme welcome default guest test testing temp temporary qwerty
motdepasse motdepass monmotdepasse mdp secret bienvenue utilisateur admin connexion azerty
contrasena contrasenas micontrasena clave claves miclave secreto bienvenido bienvenida usuario acceso
пароль пароли мойпароль секрет вход логин админ пользователь добропожаловать parol gfhjkm
كلمةالسر كلمةالمرور كلمةسر كلمةمرور كلمة السر المرور سري مرحبا مدير مستخدم دخول
密码 口令 我的密码 默认密码 管理员 登录 用户 欢迎 mima
senha minhasenha segredo kennwort geheim wachtwoord sifre parola kelime kelimesi haslo heslo losenord salasana
"""

DATES = """
january february march april may june july august september october november december
monday tuesday wednesday thursday friday saturday sunday spring summer autumn fall winter year month today
janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre
lundi mardi mercredi jeudi vendredi samedi dimanche printemps ete automne hiver annee mois
enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre
lunes martes miercoles jueves viernes sabado domingo primavera verano otono invierno ano mes
январь февраль март апрель май июнь июль август сентябрь октябрь ноябрь декабрь
января февраля марта апреля мая июня июля августа сентября октября ноября декабря
понедельник вторник среда четверг пятница суббота воскресенье весна лето осень зима год года месяц
يناير فبراير مارس ابريل مايو يونيو يوليو اغسطس سبتمبر اكتوبر نوفمبر ديسمبر سنة عام شهر
الاحد الاثنين الثلاثاء الاربعاء الخميس الجمعة السبت
一月 二月 三月 四月 五月 六月 七月 八月 九月 十月 十一月 十二月 星期一 星期二 星期三 星期四 星期五 星期六 星期日 春天 夏天 秋天 冬天 年 月
"""

SMALL = """
a i an the this that is it my me you your our we am are not no yes to for of in on and or with new old
le la les un une mon ma mes est ce cet cette ceci de du des et mi mis tu es este esta el los las una y de
это мой моя моё мои я и в на не вот هذا هذه هي هو انا في من و 我 我的 是 的 这 这是
mein meine ist das der die und eu meu minha benim
"""

# Published as examples of good ones.
PHRASES = """
correcthorsebatterystaple correctbatteryhorsestaple horsebatterystaple thequickbrownfox thequickbrownfoxjumpsoverthelazydog
quickbrownfox lazydog tobeornottobe tobeornottobethatisthequestion maytheforcebewithyou opensesame loremipsum loremipsumdolorsitamet
iloveyou iloveu jetaime tequiero teamo ялюблютебя ятебялюблю احبك 我爱你 woaini
"""
