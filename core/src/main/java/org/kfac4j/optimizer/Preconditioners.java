package org.kfac4j.optimizer;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.kfac4j.InvalidInputException;
import org.kfac4j.Settings;
import org.kfac4j.curvature.BlockForm;

/**
 * The preconditioners that a configuration can name, by {@code optimizer.preconditioner} and {@code
 * curvature.damping}: one line each. A new one is a class that implements {@link Preconditioner}
 * and a line here; the contract's tests take it from here.
 */
public final class Preconditioners {
  private static final Map<String, Function<Settings, Preconditioner>> TABLE =
      new TreeMap<>(
          Map.ofEntries(
              line("none", settings -> new NoPreconditioner()),
              line("diagonal", settings -> new DiagonalPreconditioner()),
              line("kfac factored", settings -> new KfacPreconditioner()),
              line("kfac eigen", settings -> new EigenPreconditioner(BlockForm.KRONECKER)),
              line("tkfac factored", settings -> new TkfacPreconditioner()),
              line("tkfac eigen", settings -> new EigenPreconditioner(BlockForm.TRACES)),
              line("kfac-tridiagonal factored", settings -> new TridiagonalPreconditioner()),
              line("two-level factored", settings -> twoLevel(settings, new KfacPreconditioner())),
              line("two-level eigen", settings -> twoLevel(settings, new EigenPreconditioner())),
              line("cgfac factored", Preconditioners::cgfac),
              line("ekfac", settings -> new EkfacPreconditioner(scalings(settings))),
              line("tekfac", settings -> new TekfacPreconditioner(scalings(settings)))));

  private enum DampingForm {
    FACTORED,
    EIGEN
  }

  private Preconditioners() {}

  private static Map.Entry<String, Function<Settings, Preconditioner>> line(
      String name, Function<Settings, Preconditioner> create) {
    return Map.entry(name, create);
  }

  /** All entries: a preconditioner's name and, where it can have several, a form of damping. */
  public static Set<String> entries() {
    return TABLE.keySet();
  }

  private static Set<String> names() {
    return TABLE.keySet().stream().map(each -> each.split(" ")[0]).collect(Collectors.toSet());
  }

  /**
   * The one that the settings name.
   *
   * @throws InvalidInputException naming the key, the rule and the value of what does not fit
   */
  public static Preconditioner create(Settings settings) {
    String name = settings.choice("optimizer.preconditioner", names());
    String form =
        settings.choice("curvature.damping", DampingForm.class).name().toLowerCase(Locale.ROOT);
    for (String entry : new String[] {name, name + " " + form}) {
      Function<Settings, Preconditioner> found = TABLE.get(entry);
      if (found != null) {
        return found.apply(settings);
      }
    }
    throw new InvalidInputException(
        "optimizer.preconditioner = "
            + name
            + " needs curvature.damping = "
            + TABLE.keySet().stream()
                .filter(each -> each.startsWith(name + " "))
                .map(each -> each.substring(name.length() + 1))
                .collect(Collectors.joining(" or "))
            + ", got "
            + form);
  }

  /**
   * The one of {@link #entries}, with all else as the settings say.
   *
   * @throws InvalidInputException naming the key, the rule and the value of what does not fit
   */
  public static Preconditioner create(String entry, Settings settings) {
    String[] words = entry.split(" ");
    List<String> overrides = new ArrayList<>(List.of("optimizer.preconditioner=" + words[0]));
    if (words.length > 1) {
      overrides.add("curvature.damping=" + words[1]);
    }
    return create(settings.with(overrides));
  }

  private static Scalings scalings(Settings settings) {
    Scalings.Source source = settings.choice("curvature.scalings.source", Scalings.Source.class);
    return new Scalings(
        source,
        settings.positiveInt("curvature.scalings.period"),
        settings.doubleValue(
            source == Scalings.Source.EXAMPLES
                ? "curvature.scalings.average"
                : "curvature.scalings.gradient-average"));
  }

  private static Preconditioner cgfac(Settings settings) {
    return new CgfacPreconditioner(
        settings.choice("curvature.cg.operator", CgfacPreconditioner.Operator.class),
        settings.doubleValue("curvature.cg.tolerance"),
        settings.positiveInt("curvature.cg.iterations"),
        settings.flag("curvature.cg.jacobi"),
        settings.flag("curvature.cg.warm-start"));
  }

  private static Preconditioner twoLevel(Settings settings, Preconditioner fine) {
    return new TwoLevelPreconditioner(
        fine,
        settings.choice("curvature.two-level.correction", TwoLevelPreconditioner.Correction.class),
        settings.doubleValue("curvature.two-level.weight"));
  }
}
