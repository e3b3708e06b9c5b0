# <?php exit()?>
# Whoever is nobody reads what is open; citizens read everything, and write in a space of their own.
*               @ALL      0
*               @citizen  1
open:*          @ALL      1
user:%USER%:*   %USER%    8
