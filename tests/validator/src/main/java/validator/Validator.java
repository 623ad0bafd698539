package validator;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.FhirVersionEnum;
import ca.uhn.fhir.context.support.ConceptValidationOptions;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.context.support.ValidationSupportContext;
import ca.uhn.fhir.validation.FhirValidator;
import ca.uhn.fhir.validation.SingleValidationMessage;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.PrePopulatedValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.SnapshotGeneratingValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.UnknownCodeSystemWarningValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;
import org.hl7.fhir.instance.model.api.IBaseResource;
import org.hl7.fhir.r5.utils.validation.constants.BestPracticeWarningLevel;

/**
 * Validates one resource for each line of standard input and answers with one line for each.
 *
 * <p>In: a resource as JSON on one line. Out: {"issues": [{"severity", "at", "id", "text"}]}. Arguments: R4 or R5, then
 * folders with our StructureDefinitions, ValueSets and CodeSystems. Nothing is fetched: terminology is what HAPI FHIR
 * carries and what those folders hold; a code system that neither knows is a warning.
 */
public final class Validator {

    private static final Set<String> DEFINITIONS = Set.of("StructureDefinition", "ValueSet", "CodeSystem");

    private Validator() {}

    public static void main(String[] arguments) throws IOException {
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        System.setOut(System.err); // Nothing but answers may stand on standard output.
        FhirContext context = FhirContext.forCached(FhirVersionEnum.valueOf(arguments[0]));
        List<Path> folders = new ArrayList<>();
        for (int position = 1; position < arguments.length; position++) {
            folders.add(Path.of(arguments[position]));
        }
        FhirValidator validator = validator(context, folders);
        ObjectMapper json = new ObjectMapper();
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            out.println(json.writeValueAsString(answer(json, validator, line)));
            out.flush();
        }
    }

    private static FhirValidator validator(FhirContext context, List<Path> folders) throws IOException {
        UnknownCodeSystemWarningValidationSupport unknown = new UnknownCodeSystemWarningValidationSupport(context);
        unknown.setNonExistentCodeSystemSeverity(IValidationSupport.IssueSeverity.WARNING);
        ValidationSupportChain chain = new ValidationSupportChain(
                ours(context, folders),
                new DefaultProfileValidationSupport(context),
                languages(context),
                new InMemoryTerminologyServerValidationSupport(context),
                unknown,
                new SnapshotGeneratingValidationSupport(context));
        FhirInstanceValidator module = new FhirInstanceValidator(chain);
        module.setAnyExtensionsAllowed(true);
        module.setErrorForUnknownProfiles(false);
        module.setBestPracticeWarningLevel(BestPracticeWarningLevel.Warning);
        module.setAssumeValidRestReferences(true); // "Type/id" is held against the types that a reference may have.
        return context.newValidator().registerValidatorModule(module);
    }

    /**
     * FHIR prefers some languages and requires what BCP 47 defines; HAPI FHIR calls "fr-CA" wrong where it is not among
     * the preferred ones. Here the preferred set is as wide as the required one.
     */
    private static CommonCodeSystemsTerminologyService languages(FhirContext context) {
        return new CommonCodeSystemsTerminologyService(context) {
            @Override
            public CodeValidationResult validateCode(
                    ValidationSupportContext chain,
                    ConceptValidationOptions options,
                    String system,
                    String code,
                    String display,
                    String valueSet) {
                String wide = LANGUAGES_VALUESET_URL.equals(valueSet) ? ALL_LANGUAGES_VALUESET_URL : valueSet;
                return super.validateCode(chain, options, system, code, display, wide);
            }
        };
    }

    private static PrePopulatedValidationSupport ours(FhirContext context, List<Path> folders) throws IOException {
        PrePopulatedValidationSupport support = new PrePopulatedValidationSupport(context);
        ObjectMapper json = new ObjectMapper();
        for (Path folder : folders) {
            try (Stream<Path> files = Files.walk(folder)) {
                for (Path file : files.filter(each -> each.toString().endsWith(".json")).sorted().toList()) {
                    String text = Files.readString(file);
                    if (DEFINITIONS.contains(json.readTree(text).path("resourceType").asText())) {
                        IBaseResource resource = context.newJsonParser().parseResource(text);
                        support.addResource(resource);
                    }
                }
            }
        }
        return support;
    }

    private static ObjectNode answer(ObjectMapper json, FhirValidator validator, String line) {
        ObjectNode answer = json.createObjectNode();
        ArrayNode issues = answer.putArray("issues");
        try {
            for (SingleValidationMessage message : validator.validateWithResult(line).getMessages()) {
                add(
                        issues,
                        message.getSeverity().getCode(),
                        message.getLocationString(),
                        message.getMessageId(),
                        message.getMessage());
            }
        } catch (RuntimeException broken) { // It cannot read this one; the next ones are waiting.
            add(issues, "fatal", null, broken.getClass().getSimpleName(), broken.getMessage());
        }
        return answer;
    }

    private static void add(ArrayNode issues, String severity, String at, String id, String text) {
        issues.addObject().put("severity", severity).put("at", at).put("id", id).put("text", text);
    }
}
